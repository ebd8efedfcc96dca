/** The demo in one process: bind server, simulated WeChat and QA page, which speak to each other over real HTTP. NODE. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { pino } from 'pino'
import { createBindClient } from '../server/client.ts'
import type { Env } from '../server/config/config.ts'
import { type Fetching, type Listening, startListening, stopListening } from '../server/http/listen.ts'
import type { Overrides } from '../server/open-app.ts'
import type { Identity, Store } from '../server/store/store.ts'
import { bindNow } from './auto-bind.ts'
import { createBindConfig } from './bind-config.ts'
import { createBindServer } from './bind-server.ts'
import { type Conditions, needAnotherServer, toConditions, usual } from './conditions.ts'
import { createSituation } from './current-conditions.ts'
import { createDemoControl } from './demo-api.ts'
import { createGate } from './faulty-proxy.ts'
import { createFlakyStore } from './flaky-store.ts'
import { createHostSite } from './host-site.ts'
import { createFront, findDist } from './http-app.ts'
import { toOthersUrls } from './network-urls.ts'
import { createTap } from './record-incoming.ts'
import { createTapFetch } from './record-outgoing.ts'
import { readSavedState, writeSavedState } from './saved-state.ts'
import { createChanges } from './simulator/change-listeners.ts'
import type { Delay } from './simulator/faults.ts'
import { createSimulator, type Simulator } from './simulator/simulator.ts'
import { createWire, type Wire } from './simulator/traffic-log.ts'
import { createMagicUsers, withRival } from './test-users.ts'
import { ACCOUNT, people } from './users.ts'
import { isRealWechat, toAccount } from './wechat-account.ts'
import { applyToWechat } from './wechat-conditions.ts'

export type Demo = {
  url: string
  /** How a phone on the same network reaches it; empty when only this machine may. */
  othersUrls: string[]
  simulator: Simulator
  /** All that passed between the parts. */
  wire: Wire
  conditions(): Conditions
  /** Makes the conditions so; those that are not named become as usual. */
  set(conditions: Partial<Conditions>): Promise<void>
  close(): Promise<void>
}

type DemoOptions = {
  /** As the bind server's; what it lacks is made up. `PORT` 0 takes a free one. */
  env: Env
  /** Where the store and the demo's memory are kept. */
  dataDir: string
  /** Where the page and the element were built to. */
  dist?: string
  /** How many bind servers share the store, taking turns; more than one needs PostgreSQL. */
  instances?: number
  /** Opens the port: `npm run dev` puts Vite in front of the demo. */
  listen?: (app: Fetching, host: string | undefined, port: number) => Promise<Listening>
}

const CLOCK_MS = { right: 0, ahead: 600_000, behind: -600_000 }

const delay: Delay = (ms, signal) => sleep(ms, undefined, { signal })

export async function startDemo({
  env,
  dataDir,
  dist = findDist(),
  instances = 1,
  listen = startListening,
}: DemoOptions): Promise<Demo> {
  const file = join(dataDir, 'demo.json')
  const memory = readSavedState(file)
  const key = memory?.key ?? randomBytes(32).toString('base64url')
  const webhookSecret = env.WEBHOOK_SECRET ?? `whsec_${randomBytes(32).toString('base64')}`
  const isReal = isRealWechat(env)
  const closing = new AbortController()
  const { signal } = closing
  // An open page outlives a restart. Fewer entries are made than milliseconds pass, so that no id comes twice.
  const wire = createWire(Date.now())
  const changes = createChanges()
  const account = isReal ? memory?.account : toAccount(env, memory?.account)
  const simulator = createSimulator({
    account: account ?? {},
    remembered: memory?.simulator,
    wire,
    people: [...people],
  })
  const magicUsers = createMagicUsers({ simulator, delay, signal })
  const gate = createGate({ delay, signal })

  const bindConfig = createBindConfig({
    env,
    dataDir,
    key,
    webhookSecret,
    account: isReal ? undefined : simulator.account,
  })

  // Wrong settings are told before the port is taken; which port that is, shows only then.
  const { host, port, rules, wechat } = bindConfig.at('http://127.0.0.1')
  let front = new Hono().all('*', (c) => c.text('The demo is starting.', 503))
  const fetch = (request: Request, bindings?: object) => front.fetch(request, bindings)
  const { server, url } = await listen({ fetch }, host, port)
  const first = bindConfig.at(url)
  const othersUrls = toOthersUrls(first.publicUrl, host, new URL(url).port)

  const atStart = toConditions({ ...rules, mode: wechat.mode }, usual)
  const situation = createSituation(atStart, async (next, before) => {
    if (needAnotherServer(next, before)) {
      await bindServer.replace(bindConfig.under(url, next), overridesUnder(next))
    }
    if (!isReal) applyToWechat(simulator, next)
    gate.set(next.server)
    changes.notify()
  })
  if (!isReal) applyToWechat(simulator, atStart)

  const log = pino({ level: first.logLevel })
  const tapFetch = createTapFetch({
    wire,
    clock: Date.now,
    kindOf(to) {
      if (to === first.webhooks.find('default')?.url) return 'webhook'
      return isReal && to.startsWith(first.wechat.apiBase) ? 'wechat' : undefined
    },
  })
  const overridesUnder = ({ clock, conflict }: Conditions): Overrides => ({
    log,
    allowsTestUsers: !isReal,
    fetch: tapFetch,
    clock: () => Date.now() + CLOCK_MS[clock],
    wrapStore(store: Store) {
      const flaky = createFlakyStore(store, { health: () => situation.current().store, delay, signal })
      return conflict === 'reject' ? withRival(flaky) : flaky
    },
  })
  const bindServer = await createBindServer(first, overridesUnder(atStart), {
    instances,
    adapt(deps, config) {
      deps.store.onCommit((notice) => void magicUsers.heed(deps, notice).catch(() => {}))
      const { appId } = config.wechat
      const seenFrom = othersUrls[0] ?? url
      const qrImageUrl = isReal ? deps.qrImageUrl : deps.qrImageUrl.replace(url, seenFrom)
      return { ...deps, qrImageUrl, tickets: magicUsers.tickets(deps, config, appId) }
    },
  })

  const { kid, secret, tenant } = first.keys[0]!
  const tap = createTap({ wire, deps: bindServer.deps, clock: Date.now, isReal })
  const prepare = (identity: Identity) => magicUsers.prepare(bindServer.deps(), identity)
  front = createFront({
    control: createDemoControl({
      view: () => ({ conditions: situation.current(), usual: atStart, isReal }),
      simulatorView: simulator.view,
      set: situation.set,
      takeWechat: (person) =>
        bindNow(bindServer.deps(), { tenant, account: ACCOUNT, userId: 'someone-else' }, simulator.phone(person)),
      changes,
      wire,
      signal,
    }),
    hostSite: createHostSite({ bind: createBindClient({ server: url, keyId: kid, key: secret, webhookSecret }) }),
    simulator: isReal ? undefined : simulator.app,
    bind: (request, bindings) => tap(request, prepare, (passed) => gate.pass(() => bindServer.fetch(passed, bindings))),
    dist,
  })

  const save = () => writeSavedState(file, { account: simulator.account, key, simulator: simulator.memory() })
  save()
  simulator.changes.watch(save)
  simulator.changes.watch(changes.notify)
  if (!isReal) {
    simulator.setCallbackUrl(`${url}/wechat/callback`)
    // Saving the URL in the console checks it; what came of that shows on the wire.
    await simulator.verifyCallbackUrl()
  }

  return {
    url,
    othersUrls,
    simulator,
    wire,
    conditions: situation.current,
    set: (given) => situation.set(toConditions(given, atStart)),
    async close() {
      closing.abort()
      simulator.close()
      bindServer.stopWaiting()
      await stopListening(server)
      await situation.settled()
      await bindServer.close()
      save()
    },
  }
}
