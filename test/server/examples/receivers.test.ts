/** Runs each receiver of server/examples/receivers with the same requests: in this process, or as a process of its language. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import type { WebhookReceiver } from '../../../server/config/webhook-receivers.ts'
import { receiveInExpress } from '../../../server/examples/receivers/express.ts'
import { receiveInHono } from '../../../server/examples/receivers/hono.ts'
import { createPost } from '../../../server/examples/receivers/next-route.ts'
import type { BindingEvent, StoreChange } from '../../../server/examples/receivers/receive.ts'
import { sendTest } from '../../../server/outbound/webhook-test.ts'
import { systemTimer } from '../../../server/platform.ts'
import type { WebhookPayload } from '../../../server/wire.ts'
import { titleWith } from '../../support/missing-tool.ts'
import { forShortRuns, versionOf, works } from '../clients/tools.ts'

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 6).toString('base64')}`

// The example repeats the type, because readers copy the file. tsc compares the two.
expectTypeOf<BindingEvent>().toEqualTypeOf<WebhookPayload>()

type Running = { url: string; stop(): void }
type Kit = {
  file: string
  needs: string
  isInstalled: boolean
  /** `onStored` gets a line for each change that the receiver stores. */
  start(onStored: (line: string) => void, folder: string): Promise<Running>
}

const lineOf: (onStored: (line: string) => void) => StoreChange =
  (onStored) =>
  async ({ type, data }) =>
    onStored(`${type} ${data.Account}/${data.User_ID} version ${data.Version}`)

async function listen(listener: Parameters<typeof createServer>[1]): Promise<Running> {
  const server = createServer(listener as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const inProcess = (file: string, start: Kit['start']): Kit => ({ file, needs: 'Node', isInstalled: true, start })

const pathOf = (file: string) => join(import.meta.dirname, '../../../server/examples/receivers', file)

/** A receiver that prints its port and each stored change. */
async function run(
  command: string[],
  onStored: (line: string) => void,
  env: Record<string, string> = {},
): Promise<Running> {
  const [program = '', ...args] = command
  const child: ChildProcess = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, WEBHOOK_SECRET: SECRET, PORT: '0', LC_ALL: 'C.UTF-8', ...env },
  })
  const { promise: port, resolve, reject } = Promise.withResolvers<number>()
  const onLine = (line: string) => {
    const listening = /^listening on (\d+)$|127\.0\.0\.1:(\d+)\) started$/.exec(line)
    if (listening) resolve(Number(listening[1] ?? listening[2]))
    return listening !== null
  }
  createInterface(child.stdout!).on('line', (line) => onLine(line) || onStored(line))
  // PHP's own server says on stderr that it is listening.
  createInterface(child.stderr!).on('line', onLine)
  child.on('exit', () => reject(new Error(`${program} has exited`)))
  return { url: `http://127.0.0.1:${await port}/webhook`, stop: () => child.kill() }
}

async function freePort(): Promise<number> {
  const { url, stop } = await listen(() => {})
  stop()
  return Number(new URL(url).port)
}

const kits: Kit[] = [
  inProcess('hono.ts', (onStored) => listen(getRequestListener(receiveInHono(SECRET, lineOf(onStored)).fetch))),
  inProcess('express.ts', (onStored) => listen(receiveInExpress(SECRET, lineOf(onStored)) as never)),
  inProcess('next-route.ts', (onStored) => listen(getRequestListener(createPost(SECRET, lineOf(onStored))))),
  {
    file: 'receiver.py',
    needs: 'python3',
    isInstalled: works('python3', '--version'),
    start: (onStored) => run(['python3', pathOf('receiver.py')], onStored),
  },
  {
    file: 'receiver.go',
    needs: 'Go 1.18 or newer',
    isInstalled: versionOf(/go1\.(\d+)/, 'go', 'version') >= 18,
    async start(onStored, folder) {
      // Killing `go run` would leave its program running.
      const program = join(folder, 'receiver')
      await promisify(execFile)('go', ['build', '-o', program, pathOf('receiver.go')])
      return run([program], onStored)
    },
  },
  {
    file: 'receiver.php',
    needs: 'PHP 8.1 or newer',
    isInstalled: works('php', '-r', 'exit(PHP_VERSION_ID >= 80100 ? 0 : 1);'),
    async start(onStored, folder) {
      const port = await freePort()
      const command = ['php', '-q', '-S', `127.0.0.1:${port}`, pathOf('receiver.php')]
      return run(command, onStored, { STORE: join(folder, 'store.json') })
    },
  },
  {
    file: 'Receiver.java',
    needs: 'a JDK, 17 or newer',
    isInstalled: versionOf(/javac (\d+)/, 'javac', '-version') >= 17,
    start: (onStored) => run(['java', ...forShortRuns, pathOf('Receiver.java')], onStored),
  },
]

for (const kit of kits) {
  describe.skipIf(!kit.isInstalled)(titleWith(kit.needs, kit.isInstalled, kit.file), () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-receiver-'))
    const stored: string[] = []
    let running: Running
    beforeAll(async () => {
      running = await kit.start((line) => stored.push(line), folder)
    })
    afterAll(() => {
      running?.stop()
      rmSync(folder, { recursive: true })
    })

    const bodyOf = (userId: string, version: number) =>
      JSON.stringify({
        type: version % 2 ? 'binding.bound' : 'binding.unbound',
        timestamp: new Date().toISOString(),
        data: { Tenant: 'default', Account: '客户 "A"', User_ID: userId, Version: version, Reason: 'scan' },
      })

    type Signed = { id: string; body: string; at?: Date; secrets?: string[] }
    async function post({ id, body, at = new Date(), secrets = [SECRET] }: Signed, more: Record<string, string> = {}) {
      const headers = {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
        ...more,
      }
      const response = await fetch(running.url, { method: 'POST', headers, body })
      await response.text()
      return response.status
    }
    const line = (userId: string, version: number) =>
      `${version % 2 ? 'binding.bound' : 'binding.unbound'} 客户 "A"/${userId} version ${version}`

    test('stores a change once, ignores repeats and older versions, and answers 2xx to all', async () => {
      stored.length = 0
      const user = '用户\\1 😀'
      const first = { id: 'evt_a', body: bodyOf(user, 1) }
      const statuses = [
        await post(first),
        await post(first),
        await post({ id: 'evt_c', body: bodyOf(user, 3) }),
        await post({ id: 'evt_b', body: bodyOf(user, 2) }),
        await post({ id: 'evt_d', body: bodyOf(user, 4), secrets: [OTHER_SECRET, SECRET] }),
      ]
      expect(statuses).toEqual([204, 204, 204, 204, 204])
      await expect.poll(() => stored).toEqual([line(user, 1), line(user, 3), line(user, 4)])
    })

    test('refuses a wrong secret, a changed body, an old time and missing headers', async () => {
      stored.length = 0
      const body = bodyOf('forged', 1)
      const old = new Date(Date.now() - 301_000)
      const signature = new Webhook(SECRET).sign('evt_f', new Date(), bodyOf('other', 1))
      const statuses = [
        await post({ id: 'evt_f', body, secrets: [OTHER_SECRET] }),
        await post({ id: 'evt_f', body }, { 'webhook-signature': signature }),
        await post({ id: 'evt_f', body, at: old }),
        (await fetch(running.url, { method: 'POST', body })).status,
        await post({ id: 'evt_f', body }, { 'webhook-timestamp': 'soon' }),
      ]
      expect(statuses).toEqual([401, 401, 401, 401, 401])
      expect(stored).toEqual([])
    })

    test('accepts the server’s test event, and stores nothing', async () => {
      stored.length = 0
      const receiver: WebhookReceiver = { name: 'WEBHOOK_URL', url: running.url, secrets: [SECRET] }
      expect(await sendTest({ fetch, clock: Date.now, setTimer: systemTimer }, receiver)).toEqual({
        accepted: true,
        status: 204,
      })
      expect(stored).toEqual([])
    })
  })
}
