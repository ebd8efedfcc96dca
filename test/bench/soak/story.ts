/** The actions that run at the same time during the soak, and their rates. The users are always the same. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BindError } from '../../../server/errors.ts'
import { createConsoleClient } from '../../support/console-client.ts'
import { sceneOfUrl } from '../support/wechat-api.ts'
import { createActors } from './actors.ts'
import { openPage, PageError, waitInVain } from './page.ts'
import { createPhone } from './phone.ts'
import type { Soaked } from './server.ts'

export type Story = ReturnType<typeof startStory>

const USERS = 800
// The users who are erased one after the other. The store keeps a row for the version of each erased user, so the same
// users are erased again.
const ERASED_USERS = 60
const WAITING_USERS = 3_000
const WAITING_PAGES = 200
const IMPORTED_USERS = 500

const MINUTE_MS = 60_000
// A reader requests the next events after this pause. Without it, a reader would send a request for nearly each event, so the number of
// requests would depend on the speed of the machine.
const READER_PAUSE_MS = 1_000
const READING_MS = 30_000
// The validity of a QR code plus a second.
const LATE_MS = 61_000

const cli = join(import.meta.dirname, '../../../server/cli.ts')
const runCli = promisify(execFile)

const openidOf = (name: string) => `o${name.padStart(27, 'B')}`

const random = (below: number) => Math.floor(Math.random() * below)

/** Removes and returns a random element. */
const take = <T>(all: T[]): T | undefined => {
  const at = random(all.length)
  const taken = all[at]
  const last = all.pop()
  if (at < all.length) all[at] = last!
  return taken
}

/** An error is expected while WeChat is down, and when rows become too old before a slow reader of the feed has read them. */
const isExpected = (error: unknown): boolean =>
  (error instanceof BindError || error instanceof PageError) && /^(WECHAT_|EVENTS_GONE$)/.test(error.code)

export function startStory(soaked: Soaked, databaseUrl: string, folder: string, hasBackups: boolean) {
  const phone = createPhone(soaked)
  const { perSecond, again, run, counts, stop } = createActors(isExpected)
  const free = Array.from({ length: USERS }, (_, i) => `u${i}`)
  const bound: string[] = []
  /** The users who have unfollowed. They follow again with their next scan. */
  const unfollowed = new Set<string>()
  const ending = new AbortController()
  const client = () => soaked.client()
  const of = (userId: string) => ({ account: 'acme', userId })

  /** Displays the QR code in a page, scans it, and waits until the page displays the binding. */
  async function bind(userId: string, openid = openidOf(userId)): Promise<void> {
    const page = openPage(soaked, userId)
    const view = await page.qrcode()
    if (view.state === 'bound') return
    if (view.state !== 'unbound') throw new Error(`the page shows ${view.state}`)
    const shown = page.untilBound(view.version)
    // The scan may fail before the function waits for the page.
    shown.catch(() => {})
    await delay(100 + random(900))
    const scene = sceneOfUrl(view.url)
    if (random(10) === 0 && !unfollowed.has(userId)) await phone.say(openid, `bind ${view.code}`)
    else if (unfollowed.delete(userId)) await phone.follow(openid, scene)
    else await phone.scan(openid, scene, random(10) === 0 ? 2 : 1)
    await shown
  }

  /** Takes a user from one list, and adds the user to the other list after `act`. If `act` fails, the user returns to the first list. */
  async function move(from: string[], to: string[], act: (userId: string) => Promise<unknown>): Promise<void> {
    const userId = take(from)
    if (userId === undefined) return
    try {
      await act(userId)
      to.push(userId)
    } catch (error) {
      from.push(userId)
      throw error
    }
  }

  const endOne = (end: (userId: string) => Promise<unknown>) => move(bound, free, end)

  perSecond(8, 'bind in a page', () => move(free, bound, bind))
  perSecond(4, 'unbind by the back end', () => endOne((userId) => client().disconnect(of(userId))))
  perSecond(2, 'unbind in a page', () => endOne((userId) => openPage(soaked, userId).unbind()))
  perSecond(1, 'unfollow', () =>
    endOne(async (userId) => {
      await phone.unfollow(openidOf(userId))
      unfollowed.add(userId)
    }),
  )
  let erased = 0
  perSecond(0.5, 'bind and erase', async () => {
    const userId = `erased${erased++ % ERASED_USERS}`
    await bind(userId)
    await client().eraseUser(of(userId))
  })

  // Refused and late scans
  let lates = 0
  perSecond(1, 'QR code that expires', async () => {
    const page = openPage(soaked, `late${lates++ % 300}`)
    const view = await page.qrcode(true)
    if (view.state !== 'unbound' || random(2) === 0) return
    await delay(LATE_MS, undefined, { signal: ending.signal })
    await phone.scan(openidOf(`late${random(300)}`), sceneOfUrl(view.url))
  })
  let others = 0
  perSecond(0.5, 'scan by a WeChat account that is bound', async () => {
    const owner = bound[random(bound.length)]
    if (owner === undefined) return
    const { Url } = await client().getQrCode({ ...of(`other${others++ % 100}`), isRefresh: true })
    await phone.scan(openidOf(owner), sceneOfUrl(Url))
  })
  perSecond(0.5, 'wrong code in the chat', () => phone.say(openidOf(`guess${random(200)}`), 'bind ABCD2345'))
  perSecond(2, 'forwarded message', () => phone.say(openidOf(`chat${random(500)}`), '请问什么时候发货？'))
  perSecond(1, 'forged callback', async () => {
    const status = await phone.forge()
    if (status < 400) throw new Error(`HTTP ${status}`)
  })
  let insides = 0
  perSecond(1, 'authorization that is left', () => openPage(soaked, `inside${insides++ % 300}`).startAuthorization())

  // Pages that are opened and closed
  for (let i = 0; i < WAITING_PAGES; i++) {
    again('waiting page', 200, () => waitInVain(soaked, `waits${random(WAITING_USERS)}`, 2_000 + random(40_000)))
  }

  // Back ends
  perSecond(3, 'GetBindInfo', () => client().getBindInfo(of(`u${random(USERS)}`)))
  perSecond(1, 'GetBindInfos', () => client().getBindInfos(Array.from({ length: 50 }, () => of(`u${random(USERS)}`))))
  perSecond(0.5, 'ExportUser', () => client().exportUser(of(`u${random(USERS)}`)))
  again('ListBindings, all', 5_000, async () => {
    for await (const _ of client().listBindings({ pageSize: 200 }));
  })
  for (let i = 0; i < 3; i++) again('feed that waits', 100, createReader())
  again('feed from its beginning', 10_000, async () => {
    for await (const _ of client().events({ wait: 0 }));
  })

  /**
   * Reads the events for half a minute. The next call continues after the last event. The key of the client is valid for
   * at least a minute.
   */
  function createReader(): () => Promise<void> {
    let after: string | undefined
    return async () => {
      // The loop refers to this signal. Node may otherwise collect it, and then `AbortSignal.any` never ends the iteration.
      const timeUp = AbortSignal.timeout(READING_MS)
      const signal = AbortSignal.any([ending.signal, timeUp])
      for await (const { cursor } of client().events({ signal, ...(after !== undefined && { after }) })) {
        // The last event of a reply has another cursor than the events before it.
        if (cursor !== after) await delay(READER_PAUSE_MS)
        after = cursor
        if (timeUp.aborted) return
      }
    }
  }

  // Operators
  const consoleClient = () => createConsoleClient({ request: fetch }, soaked.urls.console.replace(/\/$/, ''))
  again('session in the console', 5_000, async () => {
    const userId = bound[0]
    if (userId === undefined) return
    const operator = consoleClient()
    const expectOk = async (what: string, response: Response) => {
      await response.text()
      if (!response.ok) throw new Error(`${what}: HTTP ${response.status}`)
    }
    await expectOk('sign in', await operator.signIn('otto'))
    await expectOk('overview', await operator.get('api/overview?range=24h'))
    await expectOk('search', await operator.post('api/users/search', { q: openidOf(`u${random(USERS)}`) }))
    await expectOk('search', await operator.post('api/users/search', { q: '' }))
    await expectOk('user', await operator.post('api/users/show', { tenant: 'default', account: 'acme', userId }))
    await expectOk('webhooks', await operator.get('api/webhooks'))
    await expectOk('live', await operator.get('api/live?wait=3'))
    await expectOk('sign out', await operator.signOut())
  })
  again('metrics and probes', 5_000, async () => {
    for (const path of ['metrics', 'healthz', 'readyz']) {
      const response = await fetch(`${soaked.urls.ops}/${path}`)
      await response.text()
      if (!response.ok && path !== 'readyz') throw new Error(`${path}: HTTP ${response.status}`)
    }
  })
  again('key rotation', MINUTE_MS, () => soaked.rotateKeys())
  let imports = 0
  again('import of 500 lines', MINUTE_MS, async () => {
    const file = join(folder, 'import.csv')
    writeFileSync(file, importLines(imports++))
    await runCli(process.execPath, [cli, 'bindings', 'import', file, '--conflict', 'replace'], { env: soaked.env })
  })
  if (hasBackups) {
    again('backup', 2 * MINUTE_MS, () =>
      runCli(process.execPath, [cli, 'backup', join(folder, 'backup'), '--force'], {
        env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
      }),
    )
  }
  const outages = setInterval(() => {
    soaked.wechat.setDown(true)
    setTimeout(() => soaked.wechat.setDown(false), 5_000)
  }, 3 * MINUTE_MS)

  return {
    counts,
    run,
    callbacks: phone.sent,
    async stop(): Promise<void> {
      clearInterval(outages)
      soaked.wechat.setDown(false)
      const stopped = stop(5_000)
      ending.abort()
      await stopped
    },
  }
}

/**
 * Each import contains the same users with other WeChat accounts, so that it replaces all bindings of the previous
 * import.
 */
function importLines(round: number): string {
  const lines = Array.from({ length: IMPORTED_USERS }, (_, i) => `partner,i${i},${openidOf(`import${i}r${round % 2}`)}`)
  return ['Account,User_ID,OpenId', ...lines, ''].join('\n')
}
