/** The encrypted API, for the product's back end: one sealed request, one sealed reply. */

import { dateSchema, parseJson, parseShape, requestSchemas } from '../api/request-schemas.ts'
import { refuseTestUser } from '../binding/test-users.ts'
import { unbind } from '../binding/unbind.ts'
import type { Deps } from '../deps.ts'
import { BindError, type ErrorCode } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import type { Endpoint, Posted } from '../http/endpoint.ts'
import { logFault, toBindError, toProblemAnswer } from '../http/problem.ts'
import { type Header, openEnvelope, sealEnvelope } from '../keys/envelope.ts'
import type { BindKey } from '../keys/keyring.ts'
import type { Identity, TicketWithQr, User } from '../store/store.ts'

export type ApiResult = { Success: boolean; Code: 'OK' | ErrorCode; Message: string; Data: object | null }

type Call = keyof typeof requestSchemas

/** An opened request, before its members are looked at. */
type Request = { path: string; plaintext: unknown; tenant: string }

// The longest valid request is some 4 KiB: three texts of 128 characters, escaped, in base64url.
const MAX_BODY = 16 * 1024

const WINDOW_SECONDS = 300

const decoder = new TextDecoder()

export function createEncryptedApi(deps: Deps): Endpoint[] {
  const { store, tickets, keyring, clock, log } = deps

  async function getQrCode({ tenant, plaintext }: Request): Promise<object> {
    const { IsRefresh: isRefresh, Label, ...ids } = parseShape(requestSchemas.GetQrCode, plaintext)
    const identity = toIdentity(tenant, ids)
    const ticket = await tickets({ identity, isRefresh, label: Label ?? null, lang: deps.events.lang })
    return toQrCode(ticket, deps.qrImageUrl, clock())
  }

  async function getBindInfo({ tenant, plaintext }: Request): Promise<object> {
    const identity = toIdentity(tenant, parseShape(requestSchemas.GetBindInfo, plaintext))
    return toBindInfo(await store.user(identity), deps.events.appId)
  }

  async function disconnect({ tenant, plaintext }: Request): Promise<object> {
    const identity = toIdentity(tenant, parseShape(requestSchemas.Disconnect, plaintext))
    const { user, changes, wasBound } = await unbind(store, identity, 'disconnect', clock())
    deps.afterCommit(changes)
    if (!wasBound) throw new BindError('NOT_BOUND', 'There is nothing to disconnect: this user has no WeChat bound.')
    return { Version: user.version }
  }

  const calls: Record<Call, (request: Request) => Promise<object>> = {
    GetQrCode: getQrCode,
    GetBindInfo: getBindInfo,
    Disconnect: disconnect,
  }

  /** Fresh and first: the `jti` is spent as soon as the date is in the window, whatever the rest may hold. */
  async function admit({ path, plaintext }: Request, { jti }: Header, { kid }: BindKey): Promise<void> {
    const { Date: date } = parseShape(dateSchema, plaintext)
    if (jti === undefined || jti === '' || [...jti].length > 128) {
      throw new BindError(
        'BAD_REQUEST',
        'The protected header must hold a jti of 1 to 128 characters, new for each request.',
      )
    }
    const now = clock()
    if (Math.abs(now / 1000 - date) > WINDOW_SECONDS) {
      throw new BindError(
        'STALE_DATE',
        `Date must be Unix seconds within ${WINDOW_SECONDS} s of the server's clock: check yours.`,
      )
    }
    const until = (date + 2 * WINDOW_SECONDS) * 1000
    if (!(await store.write((tx) => tx.consumeJti(`${kid}|${jti}`, until)))) {
      throw new BindError('REPLAYED', 'This jti was used before: make a new one for each request.')
    }
    const { Path = path, User_ID } = plaintext as { Path?: unknown; User_ID?: unknown }
    if (Path !== path)
      throw new BindError('BAD_REQUEST', `Path must be ${path}, the path of the request, or be left out.`)
    if (!deps.allowsTestUsers) refuseTestUser(String(User_ID))
  }

  async function answer(call: Call, request: Request, header: Header, key: BindKey): Promise<[ApiResult, BindError?]> {
    try {
      await admit(request, header, key)
      return [{ Success: true, Code: 'OK', Message: '', Data: await calls[call](request) }]
    } catch (thrown) {
      const error = toBindError(thrown)
      return [{ Success: false, Code: error.code, Message: error.message, Data: null }, error]
    }
  }

  async function handle(call: Call, { path, body }: Posted, requestId: string): Promise<Answer> {
    const { text, header, key } = await openEnvelope<BindKey>(decoder.decode(body).trim(), undefined, keyring.find)
    const [result, error] = await answer(call, { path, plaintext: tryJson(text), tenant: key.tenant }, header, key)
    if (error) logFault(log, requestId, error)
    const replyHeader = {
      kid: key.kid,
      jti: crypto.randomUUID(),
      ...(header.jti === undefined ? {} : { req: header.jti }),
    }
    const headers: Record<string, string> = { 'Content-Type': 'application/jose' }
    if (error?.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds)
    const reply = await sealEnvelope(result, replyHeader, key.secret)
    return { status: error?.status ?? 200, headers, body: reply, ...(error && { refusal: error.code }) }
  }

  /** Without a key that is known nothing can be sealed: the answer is in the clear. */
  function refuse(thrown: unknown, requestId: string): Answer {
    const error = toBindError(thrown)
    logFault(log, requestId, error)
    return toProblemAnswer(error, requestId)
  }

  return (Object.keys(calls) as Call[]).map((call) => ({
    path: `/api/WeChat/${call}`,
    maxBody: MAX_BODY,
    answer: (posted, requestId) => handle(call, posted, requestId).catch((error) => refuse(error, requestId)),
    refuse,
  }))
}

/** Something that is no JSON fails the shapes with a sealed `BAD_REQUEST`, as any other wrong plaintext. */
function tryJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

const toIdentity = (
  tenant: string,
  { Account: account, User_ID: userId }: { Account: string; User_ID: string },
): Identity => ({
  tenant,
  account,
  userId,
})

const toQrCode = ({ wechatTicket, url, expiresAt }: TicketWithQr, imageUrl: string, now: number) => ({
  Ticket: wechatTicket,
  Url: url,
  ImageUrl: imageUrl + encodeURIComponent(wechatTicket),
  ExpiresAt: Math.floor(expiresAt / 1000),
  ExpireSeconds: Math.floor((expiresAt - now) / 1000),
})

const toBindInfo = ({ binding, version }: User, appId: string) => ({
  IsBound: binding !== null,
  OpenId: binding?.openid ?? null,
  UnionId: binding?.unionid ?? null,
  AppId: binding?.appId ?? appId,
  IsSubscribed: binding?.subscribed ?? false,
  BoundAt: binding ? Math.floor(binding.boundAt / 1000) : null,
  Version: version,
})
