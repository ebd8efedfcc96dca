/** The clients in other languages as commands: what each needs of this machine, whether it is there, and how to run the client. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'

type Tool = {
  file: string
  needs: string
  isThere: boolean
  /** Makes it runnable, with what it compiles in the folder; returns the command. */
  build(folder: string): Promise<string[]>
}

export type Ended = { code: number; stdout: string; stderr: string }

// Far more than any of them takes, also on a busy machine; a client gives up on the server after 10 s.
const TIMEOUT_MS = 50_000

const pathOf = (file: string) => join(import.meta.dirname, '../../../server/clients', file)

/** Runs a command to its end, whatever that may be. */
export function run([command = '', ...args]: string[], env: Record<string, string> = {}): Promise<Ended> {
  const { PATH = '', HOME = '/tmp' } = process.env
  // Java and others read their arguments in the locale's encoding.
  const overrides = { PATH, HOME, LC_ALL: 'C.UTF-8', ...env }
  return new Promise((resolve) => {
    execFile(command, args, { env: overrides, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
  })
}

async function compile(command: string[]): Promise<void> {
  const { code, stderr } = await run(command)
  if (code !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`)
}

function ask(command: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  return status === 0 ? stdout : undefined
}

const answers = (command: string, ...args: string[]) => ask(command, ...args) !== undefined

/** The number that the pattern finds in what the command says of itself, 0 without the command. */
const versionOf = (pattern: RegExp, command: string, ...args: string[]) =>
  Number(pattern.exec(ask(command, ...args) ?? '')?.[1] ?? 0)

// Debian's own is the one that has python3-jwcrypto, where another stands before it on the PATH.
const python = ['python3', '/usr/bin/python3'].find((command) => answers(command, '-c', 'import jwcrypto'))

export const tools: Tool[] = [
  {
    file: 'client.py',
    needs: 'python3 with jwcrypto',
    isThere: python !== undefined,
    build: async () => [python ?? '', pathOf('client.py')],
  },
  {
    file: 'client.go',
    needs: 'Go 1.18 or newer',
    isThere: versionOf(/go1\.(\d+)/, 'go', 'version') >= 18,
    async build(folder) {
      const program = join(folder, 'client')
      await compile(['go', 'build', '-o', program, pathOf('client.go')])
      return [program]
    },
  },
  {
    file: 'Client.java',
    needs: 'a JDK, 17 or newer',
    isThere: versionOf(/javac (\d+)/, 'javac', '-version') >= 17,
    async build(folder) {
      await compile(['javac', '-d', folder, pathOf('Client.java')])
      return ['java', '-cp', folder, 'Client']
    },
  },
  {
    file: 'client.php',
    needs: 'PHP 8.1 or newer with openssl',
    isThere: answers('php', '-r', 'exit(PHP_VERSION_ID >= 80100 && extension_loaded("openssl") ? 0 : 1);'),
    build: async () => ['php', pathOf('client.php')],
  },
  {
    file: 'client.sh',
    needs: 'bash, curl and the jose CLI',
    isThere: answers('bash', '--version') && answers('curl', '--version') && answers('jose', 'alg'),
    build: async () => ['bash', pathOf('client.sh')],
  },
]
