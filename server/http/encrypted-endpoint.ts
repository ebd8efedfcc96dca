/** Makes endpoints for back ends: each encrypted request (`keys/envelope.ts`) gets one encrypted reply. */
import { dateSchema, parseJson, parseShape } from '../api/request-schemas.ts'
import { refuseTestUser } from '../binding/test-users.ts'
import { BindError, type ErrorCode } from '../errors.ts'
import { type Header, openEnvelope, sealEnvelope } from '../keys/envelope.ts'
import type { BindKey, Keyring } from '../keys/keyring.ts'
import type { Log } from '../platform.ts'
import type { Store } from '../store/store.ts'
import type { Answer } from './answer.ts'
import { type Body, createBodyBudget } from './body-limit.ts'
import type { DeferredAnswer } from './deferred-response.ts'
import type { Endpoint, EndpointRequest } from './endpoint.ts'
import { logFailure, refuseWithProblem, toBindError } from './problem.ts'

export type ApiResult = { Success: boolean; Code: 'OK' | ErrorCode; Message: string; Data: object | null }

/** A decrypted request, before its fields are checked. */
export type ApiRequest = { plaintext: unknown; tenant: string }

/** `Data` that is sent later, like a deferred answer. */
export type LaterData = { start(client: LaterClient): void }

type LaterClient = {
  /** Call once. If the promise rejects, the client gets the refusal. */
  send(data: Promise<object>): void
  onHangUp(listener: () => void): void
}

/** Returns `Data`, now or later. If it throws, the client gets the refusal. */
export type ApiHandler = (request: ApiRequest) => Promise<object | LaterData>

const isLater = (data: object | LaterData): data is LaterData => 'start' in data

// At the same time, 2,048 bodies of a small call or 128 bodies of a large call fit into this memory. The limit is needed, because
// a client can send a body without a key.
const MAX_BODIES = 32 * 1024 * 1024

const WINDOW_SECONDS = 300

const decoder = new TextDecoder()

type EncryptedDeps = { store: Store; keyring: Keyring; clock: () => number; log: Log; allowsTestUsers: boolean }

export type EncryptedEndpoint = (call: string, maxBody: number, handle: ApiHandler) => Endpoint

/** The endpoints share one limit of the memory for bodies. */
export function createEncryptedEndpoints(deps: EncryptedDeps): EncryptedEndpoint {
  const { store, keyring, clock, log } = deps
  const budget = createBodyBudget(MAX_BODIES)

  /** Checks the date, then consumes the `jti`. The `jti` stays consumed even if the rest of the request is refused. */
  async function admit(path: string, plaintext: unknown, { jti }: Header, { kid }: BindKey): Promise<void> {
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

  /** Waits for the data, and encrypts the data or the refusal with the key of the request. Never rejects. */
  async function reply(data: Promise<object>, { jti }: Header, key: BindKey, requestId: string): Promise<Answer> {
    const [result, error] = await data.then(toResult, toRefusal)
    if (error) logFailure(log, requestId, error)
    const replyHeader = { kid: key.kid, jti: crypto.randomUUID(), ...(jti === undefined ? {} : { req: jti }) }
    const headers: Record<string, string> = { 'Content-Type': 'application/jose' }
    if (error?.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds)
    const body = await sealEnvelope(result, replyHeader, key.secret)
    return { status: error?.status ?? 200, headers, body, ...(error && { refusal: error.code }) }
  }

  async function answer(
    { path, requestId }: EndpointRequest,
    body: Body,
    handle: ApiHandler,
  ): Promise<Answer | DeferredAnswer> {
    const { text, header, key } = await openEnvelope<BindKey>(decoder.decode(body).trim(), undefined, keyring.find)
    const plaintext = tryJson(text)
    const handled = admit(path, plaintext, header, key).then(() => handle({ plaintext, tenant: key.tenant }))
    const later = await handled.then(
      (data) => (isLater(data) ? data : undefined),
      () => undefined,
    )
    if (!later) return reply(handled, header, key, requestId)
    return {
      headers: {},
      start: (client) =>
        later.start({
          send: (data) => void reply(data, header, key, requestId).then((sealed) => client.send(sealed)),
          onHangUp: (listener) => client.onHangUp(listener),
        }),
    }
  }

  return (call, maxBody, handle) => ({
    method: 'POST',
    path: `/api/WeChat/${call}`,
    headers: [],
    maxBody,
    budget,
    answer: (request, body) => answer(request, body, handle),
    // The refusal is not encrypted, because the key of the client is unknown.
    refuse: refuseWithProblem(log),
  })
}

const toResult = (Data: object): [ApiResult, undefined] => [{ Success: true, Code: 'OK', Message: '', Data }, undefined]

function toRefusal(thrown: unknown): [ApiResult, BindError] {
  const error = toBindError(thrown)
  return [{ Success: false, Code: error.code, Message: error.message, Data: null }, error]
}

/** Returns undefined for text that is not JSON. The schemas then refuse the request with an encrypted `BAD_REQUEST`. */
function tryJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
