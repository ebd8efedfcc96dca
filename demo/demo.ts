/** The demo in one process: bind server, simulated WeChat and QA page, which speak to each other over real HTTP. NODE. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Hono } from 'hono'
import { pino } from 'pino'
import { createBindClient } from '../server/client.ts'
import { type Env, parseConfig } from '../server/config.ts'
import { startListening, stopListening } from '../server/main.ts'
import { openApp } from '../server/open-app.ts'
import type { WechatMode } from '../server/wechat/message.ts'
import { createFront, findDist } from './front.ts'
import { createHostSite } from './host-site.ts'
import { readMemory, writeMemory } from './memory.ts'
import { createRoundRobin } from './round-robin.ts'
import type { Account } from './simulator/account.ts'
import { createSimulator, type Simulator } from './simulator/simulator.ts'

export type Demo = {
  url: string
  simulator: Simulator
  close(): Promise<void>
}

export type DemoOptions = {
  /** As the bind server's; what it lacks is made up. `PORT` 0 takes a free one. */
  env: Env
  /** Where the store and the demo's memory are kept. */
  dataDir: string
  /** Where the page and the element were built to. */
  dist?: string
  /** How many bind servers share the store, taking turns; more than one needs PostgreSQL. */
  instances?: number
}

export async function startDemo({ env, dataDir, dist = findDist(), instances = 1 }: DemoOptions): Promise<Demo> {
  const file = join(dataDir, 'demo.json')
  const memory = readMemory(file)
  const key = memory?.key ?? randomBytes(32).toString('base64url')
  const simulator = createSimulator({ account: toAccount(env, memory?.account), remembered: memory?.simulator })

  const configFor = (url: string) => parseConfig({ ...toBindEnv(simulator.account, url, key, dataDir), ...env })
  // Wrong settings are told before the port is taken; which port that is, shows only then.
  const { host, port } = configFor('http://127.0.0.1')

  let front = new Hono().all('*', (c) => c.text('The demo is starting.', 503))
  const fetch = (request: Request, bindings?: object) => front.fetch(request, bindings)
  const { server, url } = await startListening({ fetch }, host, port)
  const config = configFor(url)
  const log = pino({ level: config.logLevel })
  const binds = await Promise.all(Array.from({ length: instances }, () => openApp(config, { log })))
  const apps = binds.map(({ app }) => app)
  const { kid, secret } = config.keys[0]!
  const hostSite = createHostSite({ bind: createBindClient({ server: url, keyId: kid, key: secret }) })
  front = createFront({
    hostSite,
    simulator: simulator.app,
    bind: apps.length > 1 ? createRoundRobin(apps) : apps[0]!,
    dist,
  })

  const save = () => writeMemory(file, { account: simulator.account, key, simulator: simulator.memory() })
  save()
  simulator.changes.watch(save)
  simulator.setCallbackUrl(`${url}/wechat/callback`)

  return {
    url,
    simulator,
    async close() {
      simulator.close()
      for (const { stopWaiting } of binds) stopWaiting()
      await stopListening(server)
      await Promise.all(binds.map(({ close }) => close()))
      save()
    },
  }
}

/** The account of the last start, under what the environment says. */
function toAccount(env: Env, remembered: Account | undefined): Partial<Account> {
  const given: Partial<Record<keyof Account, string | undefined>> = {
    appId: env.WECHAT_APP_ID,
    appSecret: env.WECHAT_APP_SECRET,
    token: env.WECHAT_TOKEN,
    // During a rotation, `new,old`: WeChat itself has the new one.
    encodingAesKey: env.WECHAT_ENCODING_AES_KEY?.split(',')[0],
    originalId: env.WECHAT_ORIGINAL_ID,
    mode: env.WECHAT_MODE as WechatMode | undefined,
  }
  return { ...remembered, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) }
}

/** The settings of a bind server whose WeChat is the simulator. Its log stays quiet: the demo prints one line. */
function toBindEnv(account: Account, url: string, key: string, dataDir: string): Env {
  return {
    HOST: '127.0.0.1',
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    WECHAT_TOKEN: account.token,
    WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
    WECHAT_ORIGINAL_ID: account.originalId,
    WECHAT_API_BASE: `${url}/simulator`,
    BIND_KEYS: `demo:${key}`,
    DATABASE_URL: `sqlite:${join(dataDir, 'wechat-bind.db')}`,
    LOG_LEVEL: 'warn',
  }
}
