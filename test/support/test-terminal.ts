/** A fake terminal that records the output of a command. */
import type { Terminal } from '../../server/commands/terminal.ts'

export function createTestTerminal({ columns, answer }: { columns?: number; answer?: boolean } = {}) {
  const written = { out: '', err: '' }
  const terminal: Terminal = {
    async write(text) {
      written.out += text
    },
    print: (line) => terminal.write(`${line}\n`),
    async report(line) {
      written.err += `${line}\n`
    },
    progress() {},
    columns,
    confirm: answer === undefined ? undefined : async () => answer,
  }
  return { terminal, written }
}
