/** The browser API: JSON calls with a widget token, and the long-poll. The browser gets no openid and needs no correct clock. */
import { confirmSchema, parseShape, qrcodeSchema } from '../api/request-schemas.ts'
import { confirmCode, expireConfirmation } from '../binding/confirmation.ts'
import { toQrPath } from '../binding/qr-path.ts'
import { toLanguage } from '../binding/replies.ts'
import { unbind } from '../binding/unbind.ts'
import { noticeOf, toView, withFollowQr } from '../binding/view.ts'
import { MAX_WAIT_MS, type Waiter } from '../binding/waiters.ts'
import type { Deps } from '../deps.ts'
import { type Answer, jsonAnswer } from '../http/answer.ts'
import type { WaitingClient } from '../http/deferred-response.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { createPageEndpoints, type PageHandler, permitted, toJson } from '../http/page-endpoint.ts'
import { refuseWithProblem, toBindError } from '../http/problem.ts'
import type { Identity, TicketWithQr, User } from '../store/store.ts'
import type { BindingView, TicketView } from '../wire.ts'

const MAX_BODY = 4 * 1024

/** The values that a long-poll keeps of its request while it waits. `until` in ms. */
type WaitingPage = { identity: Identity; known: number; until: number; requestId: string }

export function widgetApiEndpoints(deps: Deps): Endpoint[] {
  const { store, tickets, waiters, clock, events, accountName, oauth } = deps
  const hasOauth = oauth !== undefined
  const { endpoint, fallback } = createPageEndpoints(deps)
  const toProblem = refuseWithProblem(deps.log)

  const userNow = async (identity: Identity): Promise<User> => expireConfirmation(deps, await store.user(identity))

  const toAnswer = (user: User): Answer => answerWith(toView(user, clock(), { hasOauth }))

  const answerWith = (view: BindingView): Answer => {
    const answer = jsonAnswer(view)
    return { ...answer, headers: { ...answer.headers, ETag: etagOf(view.version) } }
  }

  const answerWithFollowQr = async (view: BindingView) => answerWith(await withFollowQr(view, oauth?.followQr))

  const poll: PageHandler = async ({ headers, requestId }, { identity }) => {
    const known = knownVersion(headers['if-none-match'])
    const waitMs = waitMsOf(headers.prefer)
    if (known === undefined || waitMs === 0) {
      const user = await userNow(identity)
      return user.version === known ? notModified(known) : toAnswer(user)
    }
    const page: WaitingPage = { identity, known, until: clock() + waitMs, requestId }
    const waiter = park(page)
    const answer = await answerToChange(page, waiter)
    return answer ?? { headers: {}, start: (client) => answerAtEnd(client, page, waiter) }
  }

  const park = ({ identity, known, until }: WaitingPage) => waiters.park(identity, known, Math.max(0, until - clock()))

  /**
   * Call after `park`, so that a commit after the read ends the wait. Returns undefined if nothing has changed. The wait then
   * continues.
   */
  async function answerToChange(page: WaitingPage, waiter: Waiter): Promise<Answer | undefined> {
    const user = await userToCheck(page).catch((error) => {
      waiters.leave(waiter)
      throw error
    })
    if (!user) return undefined
    if (user.version === page.known) {
      if (user.confirmation) waiters.recheckWithin(waiter, user.confirmation.until - clock())
      return undefined
    }
    waiters.leave(waiter)
    return toAnswer(user)
  }

  /** Returns undefined if the page knows the user's version and no scan can expire. */
  async function userToCheck({ identity, known }: WaitingPage): Promise<User | undefined> {
    const { version, isScanned } = await store.userVersion(identity)
    return version === known && !isScanned ? undefined : userNow(identity)
  }

  /** This is a separate function, so that its closures keep nothing else of the request in memory while the page waits. */
  function answerAtEnd(client: WaitingClient, page: WaitingPage, first: Waiter): void {
    let waiter = first
    client.onHangUp(() => waiters.leave(waiter))
    listen()

    function listen(): void {
      waiters.onEnd(waiter, (ending) => {
        // No read is needed here, because the page's next poll begins with a read.
        if (ending === 'timeout') client.send(notModified(page.known))
        else void lookAgain()
      })
    }

    /** After missed notices most pages find the version that they know. They continue to wait, so that they do not all poll anew. */
    async function lookAgain(): Promise<void> {
      try {
        waiter = park(page)
        const answer = await answerToChange(page, waiter)
        if (answer) client.send(answer)
        else listen()
      } catch (thrown) {
        client.send(toProblem(toBindError(thrown), { requestId: page.requestId }))
      }
    }
  }

  const showQrcode: PageHandler = async ({ headers }, principal, body) => {
    const { identity, label } = permitted(principal, 'bind')
    const { refresh: isRefresh } = parseShape(qrcodeSchema, toJson(body))
    const user = await userNow(identity)
    const view = toView(user, clock(), { hasOauth })
    if (view.state === 'bound' || (view.state === 'scanned' && !isRefresh)) return answerWithFollowQr(view)
    const lang = toLanguage(headers['accept-language'], events.lang)
    const ticket = await tickets({ identity, isRefresh, label, lang, isPage: true })
    const present = await store.user(identity)
    const presentView = toView(present, clock(), { hasOauth })
    // While WeChat made this QR code, the user was bound, or another QR code was scanned. The version includes that change, so no
    // later version would tell the page about the change.
    if (presentView.state !== 'unbound') return answerWithFollowQr(presentView)
    const ticketView = toTicketView(ticket, present, accountName, clock())
    return jsonAnswer({ ...ticketView, ...(hasOauth && { oauth: true }) } satisfies TicketView)
  }

  const confirm: PageHandler = async (_, principal, body) => {
    const { identity } = permitted(principal, 'bind')
    const { code } = parseShape(confirmSchema, toJson(body))
    return toAnswer(await confirmCode(deps, identity, code))
  }

  const disconnect: PageHandler = async (_, principal) => {
    const { identity } = permitted(principal, 'unbind')
    const { user } = await unbind(deps, identity, 'widget')
    return toAnswer(user)
  }

  return [
    endpoint('GET', '/widget/binding', 0, poll),
    endpoint('POST', '/widget/qrcode', MAX_BODY, showQrcode),
    endpoint('POST', '/widget/confirm', MAX_BODY, confirm),
    endpoint('DELETE', '/widget/binding', MAX_BODY, disconnect),
    fallback('/widget/*', MAX_BODY),
  ]
}

const etagOf = (version: number) => `"${version}"`

const notModified = (known: number): Answer => ({ status: 304, headers: { ETag: etagOf(known) }, body: null })

/** Parses an `ETag` of this server, such as `"17"`. Returns undefined for any other value. */
function knownVersion(ifNoneMatch: string | undefined): number | undefined {
  const [, digits] = /^(?:W\/)?"(\d{1,15})"$/.exec(ifNoneMatch?.trim() ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** Parses `Prefer: wait=25` (RFC 7240). Returns 0 if the header is absent or malformed. */
function waitMsOf(prefer: string | undefined): number {
  const [, seconds = '0'] = /(?:^|[,;]\s*)wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '') ?? []
  return Math.min(Number(seconds) * 1000, MAX_WAIT_MS)
}

const toTicketView = (
  { url, code, expiresAt }: TicketWithQr,
  user: User,
  account: string | undefined,
  now: number,
): TicketView => ({
  state: 'unbound',
  url,
  qr: toQrPath(url),
  code,
  ...(account === undefined ? {} : { account }),
  expiresIn: Math.max(0, Math.floor((expiresAt - now) / 1000)),
  version: user.version,
  ...noticeOf(user, now),
})
