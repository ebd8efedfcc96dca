/** The encrypted API for back ends. Each encrypted request gets one encrypted reply. */
import { dateSchema, parseJson, parseShape, requestSchemas } from '../api/request-schemas.ts'
import { refuseTestUser } from '../binding/test-users.ts'
import { unbind } from '../binding/unbind.ts'
import type { Deps } from '../deps.ts'
import { BindError, type ErrorCode } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import type { Body } from '../http/body-limit.ts'
import { createBodyBudget } from '../http/body-limit.ts'
import type { Endpoint, EndpointRequest } from '../http/endpoint.ts'
import { logFailure, refuseWithProblem, toBindError } from '../http/problem.ts'
import { type Header, openEnvelope, sealEnvelope } from '../keys/envelope.ts'
import type { BindKey } from '../keys/keyring.ts'
import type { Identity, TicketWithQr, User } from '../store/store.ts'

export type ApiResult = { Success: boolean; Code: 'OK' | ErrorCode; Message: string; Data: object | null }

type Call = keyof typeof requestSchemas

/** A decrypted request, before its fields are checked. */
type Request = { path: string; plaintext: unknown; tenant: string }

// The longest valid request is 4 KiB: three texts of 128 characters, escaped, in base64url.
const MAX_BODY = 16 * 1024

// Limits memory to 2,048 of the largest bodies at once. The limit is needed, because a client needs no key to send a body.
const MAX_BODIES = 32 * 1024 * 1024

const WINDOW_SECONDS = 300

const decoder = new TextDecoder()

export function encryptedApiEndpoints(deps: Deps): Endpoint[] {
  const { store, tickets, keyring, clock, log } = deps
  const budget = createBodyBudget(MAX_BODIES)

  async function getQrCode({ tenant, plaintext }: Request): Promise<object> {
    const { IsRefresh: isRefresh, Label, ...ids } = parseShape(requestSchemas.GetQrCode, plaintext)
    const identity = toIdentity(tenant, ids)
    const { lang } = deps.events
    const ticket = await tickets({ identity, isRefresh, label: Label ?? null, lang, isPage: false })
    return toQrCode(ticket, deps.qrImageUrl, clock())
  }

  async function getBindInfo({ tenant, plaintext }: Request): Promise<object> {
    const identity = toIdentity(tenant, parseShape(requestSchemas.GetBindInfo, plaintext))
    return toBindInfo(await store.user(identity), deps.events.appId)
  }

  async function disconnect({ tenant, plaintext }: Request): Promise<object> {
    const identity = toIdentity(tenant, parseShape(requestSchemas.Disconnect, plaintext))
    const { user, wasBound } = await unbind(deps, identity, 'disconnect')
    if (!wasBound) throw new BindError('NOT_BOUND', 'There is nothing to disconnect: this user has no WeChat bound.')
    return { Version: user.version }
  }

  const calls: Record<Call, (request: Request) => Promise<object>> = {
    GetQrCode: getQrCode,
    GetBindInfo: getBindInfo,
    Disconnect: disconnect,
  }

  /** Checks the date, then consumes the `jti`. The `jti` stays consumed even if the rest of the request is refused. */
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
    if (!deps.allowsTestUsers) refuseTestUser(User_ID)
  }

  async function apply(call: Call, request: Request, header: Header, key: BindKey): Promise<[ApiResult, BindError?]> {
    try {
      await admit(request, header, key)
      return [{ Success: true, Code: 'OK', Message: '', Data: await calls[call](request) }]
    } catch (thrown) {
      const error = toBindError(thrown)
      return [{ Success: false, Code: error.code, Message: error.message, Data: null }, error]
    }
  }

  async function answer(call: Call, { path, requestId }: EndpointRequest, body: Body): Promise<Answer> {
    const { text, header, key } = await openEnvelope<BindKey>(decoder.decode(body).trim(), undefined, keyring.find)
    const [result, error] = await apply(call, { path, plaintext: tryJson(text), tenant: key.tenant }, header, key)
    if (error) logFailure(log, requestId, error)
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

  return (Object.keys(calls) as Call[]).map((call) => ({
    method: 'POST',
    path: `/api/WeChat/${call}`,
    headers: [],
    maxBody: MAX_BODY,
    budget,
    answer: (request, body) => answer(call, request, body),
    // The refusal is not encrypted, because the key of the client is unknown.
    refuse: refuseWithProblem(log),
  }))
}

/** Returns undefined for text that is not JSON. The schemas then refuse the request with an encrypted `BAD_REQUEST`. */
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
