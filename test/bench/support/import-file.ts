/** Writes files for `bindings import`, and runs the command as an operator does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'

const cli = join(import.meta.dirname, '../../../server/cli.ts')

export async function writeImportFile(path: string, lines: number): Promise<string> {
  const file = createWriteStream(path)
  file.write('Account,User_ID,OpenId,BoundAt,Label\n')
  for (let first = 0; first < lines; first += 1000) {
    let text = ''
    for (let i = first; i < Math.min(first + 1000, lines); i++) {
      // Real openids are in random order, so each binding changes a different page of the index of openids.
      const openid = `oABCDE${((i * 2_654_435_761) % 4_294_967_296).toString(36)}-${i}`
      text += `acme${i % 50},user-${i},${openid},${1_700_000_000 + i},u***${i}@example.com\n`
    }
    if (!file.write(text)) await once(file, 'drain')
  }
  file.end()
  await finished(file)
  return path
}

/** A module that makes the child process print its peak memory at its exit. */
const REPORT_MEMORY = `process.on('exit', () => console.error('maxRSS ' + process.resourceUsage().maxRSS))`

export async function importFile(
  file: string,
  databaseUrl: string,
  appId = 'wx1',
  { NODE_OPTIONS = '', ...more }: Record<string, string> = {},
) {
  const startedAt = performance.now()
  const env = {
    WECHAT_APP_ID: appId,
    WECHAT_APP_SECRET: 's',
    DATABASE_URL: databaseUrl,
    NODE_OPTIONS: `${NODE_OPTIONS} --import=data:text/javascript,${encodeURIComponent(REPORT_MEMORY)}`,
    ...more,
  }
  const child = spawn(process.execPath, [cli, 'bindings', 'import', file], { env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`import failed:\n${text}`)
  return { seconds: (performance.now() - startedAt) / 1000, mib: Number(/maxRSS (\d+)/.exec(text)?.[1]) / 1024 }
}
