/** The demo in one process: bind server, simulated WeChat and QA page, connected by real HTTP. Node only. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { pino } from 'pino'
import type { BindClient } from '../server/client.ts'
import type { Env } from '../server/config/config.ts'
import { type Fetching, type Listening, startListening, stopListening } from '../server/http/listen.ts'
import type { Identity } from '../server/store/store.ts'
import { autoBind } from './auto-bind.ts'
import { createBindConfig } from './bind-config.ts'
import { type Conditions, defaultConditions, toConditions } from './conditions.ts'
import { createDemoApi } from './demo-api.ts'
import { createDemoConsole } from './demo-console.ts'
import { createDepsAdapter } from './demo-deps.ts'
import { answerFaulty } from './faulty-receiver.ts'
import { createHostSite } from './host-site.ts'
import { createHttpApp, findDist } from './http-app.ts'
import { toNetworkUrls, toTrustedNames } from './network-urls.ts'
import { createReceiverChanges } from './receiver-changes.ts'
import { createRequestRecorder } from './record-incoming.ts'
import { createRecordingFetch } from './record-outgoing.ts'
import { type DemoRoom, openDemoRoom } from './room.ts'
import { readSavedState, writeSavedState } from './saved-state.ts'
import { hideBehindSecretPath } from './secret-path.ts'
import { createChangeListeners } from './simulator/change-listeners.ts'
import { createFaults, type Delay, type Faults } from './simulator/faults.ts'
import { LOOPBACK } from './simulator/request-guard.ts'
import { createSimulator, type Simulator } from './simulator/simulator.ts'
import { createTrafficLog, type TrafficLog } from './simulator/traffic-log.ts'
import { createTestUsers } from './test-users.ts'
import { people } from './users.ts'
import { createVisitors } from './visitors.ts'
import { isRealWechat, toAccount } from './wechat-account.ts'
import { failsTokens } from './wechat-conditions.ts'

export type Demo = {
  /** The URL to open, without a trailing slash. Its path is secret if the demo uses a real WeChat account. */
  url: string
  /** URLs for a phone on the same network; empty when the demo listens only on this machine. */
  networkUrls: string[]
  simulator: Simulator
  /** The traffic log. */
  wire: TrafficLog
  conditions(): Conditions
  /** Sets the given conditions and resets all others. */
  set(conditions: Partial<Conditions>): Promise<void>
  close(): Promise<void>
}

type DemoOptions = {
  /** The bind server's environment variables; a missing variable gets the demo's default. `PORT=0` selects a free port. */
  env: Env
  /** The folder of the SQLite database and of demo.json. */
  dataDir: string
  /** The folder with the built page and element. */
  dist?: string
  /** The number of bind servers that share one store. More than one server needs PostgreSQL. */
  instances?: number
  /**
   * Opens the port. `npm run dev` passes a function that puts Vite in front of the demo. `base` is the secret path, or
   * an empty text.
   */
  listen?: (app: Fetching & { base: string }, host: string | undefined, port: number) => Promise<Listening>
}

const delay: Delay = (ms, signal) => sleep(ms, undefined, { signal })

export async function startDemo({
  env,
  dataDir,
  dist = findDist(),
  instances = 1,
  listen = startListening,
}: DemoOptions): Promise<Demo> {
  const file = join(dataDir, 'demo.json')
  const savedState = readSavedState(file)
  const key = savedState?.key ?? randomBytes(32).toString('base64url')
  const webhookSecret = env.WEBHOOK_SECRET ?? `whsec_${randomBytes(32).toString('base64')}`
  const pathSecret = savedState?.pathSecret || randomBytes(16).toString('base64url')
  const isReal = isRealWechat(env)
  const base = isReal ? `/${pathSecret}` : ''
  const trusted = toTrustedNames(env)
  const hosts = [...LOOPBACK, ...(trusted.hosts ?? [])]
  const closing = new AbortController()
  const { signal } = closing
  // A page stays open while the demo restarts, so an id must not occur twice. The ids start at the current time in ms
  // and increase more slowly than the time.
  const wire = createTrafficLog(Date.now())
  const changes = createChangeListeners()
  const account = isReal ? savedState?.account : toAccount(env, savedState?.account)
  // The value is assigned below, because the rooms need the simulator.
  let currentRoom: () => DemoRoom | undefined = () => undefined
  const simulator = createSimulator({
    account: { ...account, webDomains: hosts },
    remembered: savedState?.simulator,
    ...trusted,
    wire,
    people: [...people],
    current() {
      const room = currentRoom()
      return room && { faults: room.faults, mode: room.current().mode, callbackUrl: `${room.url}/wechat/callback` }
    },
  })
  const testUsers = createTestUsers({ simulator, delay, signal })

  const bindConfig = createBindConfig({
    env,
    dataDir,
    key,
    webhookSecret,
    account: isReal ? undefined : simulator.account,
  })

  // Checks the settings before the demo opens its port. The port number may be known only after that, so the settings
  // are parsed again below.
  const { host, port, rules, wechat } = bindConfig.at('http://127.0.0.1')
  let app = new Hono().all('*', (c) => c.text('The demo is starting.', 503))
  const fetch = (request: Request, bindings?: object) => app.fetch(request, bindings)
  const { server, url: origin } = await listen({ fetch, base }, host, port)
  const url = origin + base
  const first = bindConfig.at(url)
  const networkUrls = toNetworkUrls(first.publicUrl, host, new URL(origin).port).map((each) => each + base)

  const atStart = toConditions({ ...rules, mode: wechat.mode }, defaultConditions)
  const { tenant } = first.keys[0]!
  const log = pino({ level: first.logLevel })
  const recordingFetch = createRecordingFetch({
    wire,
    clock: Date.now,
    kindOf(to) {
      if (to === first.webhooks.of('default')[0]?.url) return 'webhook'
      return isReal && to.startsWith(first.wechat.apiBase) ? 'wechat' : undefined
    },
  })
  // The value is assigned below, because it needs the rooms.
  let receiver = (): Conditions['receiver'] => 'up'
  const receiverChanges = createReceiverChanges({
    current: () => receiver(),
    outbox: () => shared.deps().store.outbox,
    delay,
    signal,
  })

  const phoneUrl = networkUrls[0] ?? url
  const adapt = createDepsAdapter({ simulator, testUsers, isReal, url, phoneUrl, hosts })

  const openRoom = (path: string, conditions: Conditions, faults: Faults) =>
    openDemoRoom(
      { url, path, conditions, faults },
      {
        bindConfig,
        overrides: { log, allowsTestUsers: !isReal, fetch: recordingFetch },
        serverOptions: {
          instances,
          adapt,
        },
        webhookSecret,
        delay,
        signal,
        onCommit(notice, room) {
          for (const other of visitors.all()) if (other !== room) other.wake(notice)
        },
        onChange(next) {
          if (path === '' && !isReal) simulator.setMode(next.mode)
          if (failsTokens(next.errcode)) simulator.accessTokens.revoke()
          void receiverChanges.onConditions().catch(() => {})
          changes.notify()
        },
      },
    )
  const shared = await openRoom('', atStart, simulator.faults)
  const visitors = createVisitors({
    shared,
    // A callback of the real WeChat does not name a visitor, so all visitors share the conditions.
    openRoom: isReal ? undefined : (path, conditions) => openRoom(path, conditions, createFaults({ delay, signal })),
  })
  receiver = () =>
    visitors
      .all()
      .find((room) => room.current().receiver !== 'up')
      ?.current().receiver ?? 'up'
  currentRoom = () => (visitors.room() === shared ? undefined : visitors.room())

  const recordRequest = createRequestRecorder({ wire, deps: shared.deps, clock: Date.now, isReal })
  const prepare = (identity: Identity) => testUsers.prepare(visitors.room().deps(), identity)
  const bind = (request: Request, bindings: object) =>
    recordRequest(request, prepare, (passed) => visitors.room().fetch(passed, bindings))
  const site = createHttpApp({
    control: createDemoApi({
      view: () => ({ conditions: visitors.room().current(), usual: atStart, isReal }),
      simulatorView: simulator.view,
      set: visitors.set,
      bind: (person, user) => autoBind(visitors.room().deps(), { tenant, ...user }, simulator.phone(person)),
      async forget(people) {
        await Promise.all(people.map((person) => simulator.phone(person).closeAccount()))
      },
      changes,
      wire,
      signal,
    }),
    // Each call goes to the server of the visitor who sent the current request.
    hostSite: createHostSite({
      bind: new Proxy(shared.client, { get: (_, name: keyof BindClient) => visitors.room().client[name] }),
      failWebhook() {
        const fault = receiverChanges.next()
        return fault === 'up' ? undefined : answerFaulty(fault, delay, signal)
      },
    }),
    simulator: isReal ? undefined : simulator.app,
    bind,
    console: createDemoConsole({ deps: () => visitors.room().deps(), key, base }),
    trusted,
    dist,
  })
  const inside = visitors.routes(site)
  app = isReal ? hideBehindSecretPath({ secret: pathSecret, inside, bind }) : inside

  const save = () =>
    writeSavedState(file, { account: simulator.account, key, pathSecret, simulator: simulator.memory() })
  save()
  simulator.changes.watch(save)
  simulator.changes.watch(changes.notify)
  if (!isReal) {
    simulator.setCallbackUrl(`${url}/wechat/callback`)
    // WeChat's console checks a callback URL when the administrator saves it. The result of this check is in the
    // traffic log.
    await simulator.verifyCallbackUrl()
  }

  return {
    url,
    networkUrls,
    simulator,
    wire,
    conditions: shared.current,
    set: (given) => visitors.set(toConditions(given, atStart)),
    async close() {
      closing.abort()
      simulator.close()
      for (const room of visitors.all()) room.stopWaiting()
      await stopListening(server)
      await visitors.close()
      save()
    },
  }
}
