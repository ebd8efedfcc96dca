/** Delivers a message to the callback URL as WeChat does, with a timeout of 5 s and up to three retries. */
import type { Account, Random } from './account.ts'
import type { Delay } from './faults.ts'
import { type MessageFields, type Sealed, sealMessage, toEchoQuery, toMessageXml } from './message.ts'
import { type CallbackAnswer, openReply, type Reply } from './reply.ts'
import type { TrafficLog, TrafficRequest, WireKind } from './traffic-log.ts'
import type { CallbackFault } from './views.ts'

// WeChat disconnects after 5 s and retries. In the logs of operators, one message has at most four deliveries.
const DEADLINE_MS = 5_000
const RETRIES = 3

type DeliveryDeps = {
  account: () => Account
  callbackUrl: () => string | undefined
  clock: () => number
  delay: Delay
  /**
   * This module applies only the faults `drop` and `tamper`. The module faulty-delivery.ts applies the other faults.
   */
  fault?: () => CallbackFault
  fetch: (url: string, init: RequestInit) => Promise<Response>
  random: Random
  wire: TrafficLog
  /** Aborts all running deliveries. */
  signal: AbortSignal
}

/** Delivers one message and returns the reply or the fault. The promise never rejects. */
export type Deliver = (fields: MessageFields) => Promise<Reply>

type Request = Pick<TrafficRequest, 'title' | 'url' | 'method' | 'headers' | 'raw' | 'opened'>

export function createDelivery(deps: DeliveryDeps) {
  const { account, callbackUrl, clock, delay, fault = () => 'none', fetch, random, wire, signal } = deps

  /** Sends one request. The signal `cut` aborts the request. Without a connection the status is 0. */
  async function exchange({ method, url, headers, raw }: Request, cut: AbortSignal): Promise<CallbackAnswer> {
    const body = method === 'POST' ? { body: raw, headers } : {}
    try {
      // WeChat does not follow a redirect. A redirect counts as a failure, because its status is not 200.
      const response = await fetch(url, { method, ...body, signal: cut, redirect: 'manual' })
      return { status: response.status, body: await response.text() }
    } catch {
      return { status: 0, body: '' }
    }
  }

  /** Resolves after `ms`, or earlier when `until` aborts or the simulator is closed. */
  const wait = (ms: number, until: AbortSignal) => delay(ms, AbortSignal.any([signal, until])).catch(() => {})

  /**
   * Makes one attempt. `rest` resolves 5 s after the start of the attempt. The next attempt starts then, whatever the
   * failure was.
   */
  async function attempt(request: Request, judge: (answer: CallbackAnswer) => Reply, kind: WireKind) {
    const at = clock()
    const end = wire.begin({ kind, at, ...request })
    const settled = new AbortController()
    const cut = new AbortController()
    const rest = wait(DEADLINE_MS, settled.signal)
    const answer = await Promise.race([exchange(request, cut.signal), rest.then(() => undefined)])
    cut.abort()
    const reply: Reply = answer ? toReply(answer, judge) : { kind: 'fault', reason: 'no answer within 5 s' }
    end({
      tookMs: clock() - at,
      status: answer?.status ?? 0,
      reply: answer?.body ?? '',
      replyOpened: 'xml' in reply ? (reply.xml ?? '') : '',
      fault: reply.kind === 'fault' ? reply.reason : '',
    })
    return { reply, rest, endRest: () => settled.abort() }
  }

  function toRequest(url: string, fields: MessageFields): Request {
    const sealed = sealMessage(account(), fields, clock(), random)
    const { query, body } = fault() === 'tamper' ? tamper(sealed) : sealed
    const title = fields.MsgType === 'event' ? String(fields.Event) : fields.MsgType
    const headers = { 'Content-Type': 'text/xml' }
    return { title, method: 'POST', url: withQuery(url, query), headers, raw: body, opened: toMessageXml(fields) }
  }

  /** The message is lost, but WeChat treats it as delivered. */
  function drop(request: Request): Reply {
    wire.add({
      kind: 'callback',
      at: clock(),
      ...request,
      tookMs: 0,
      status: 0,
      reply: '',
      replyOpened: '',
      fault: 'dropped before the delivery',
    })
    return { kind: 'silent' }
  }

  const deliver: Deliver = async (fields) => {
    const url = callbackUrl()
    // Without a callback URL WeChat sends nothing, and the chat displays nothing.
    if (url === undefined) return { kind: 'silent' }
    if (fault() === 'drop') return drop(toRequest(url, fields))
    for (let left = RETRIES; ; left -= 1) {
      const judge = (answer: CallbackAnswer) => openReply(account(), fields.FromUserName, answer)
      const { reply, rest, endRest } = await attempt(toRequest(url, fields), judge, 'callback')
      const isLast = reply.kind !== 'fault' || left === 0
      if (isLast) endRest()
      await rest
      // The simulator was closed during the delivery. This is not a fault of the callback.
      if (signal.aborted) return { kind: 'silent' }
      if (isLast) return reply
    }
  }

  /**
   * Runs the check that WeChat's console makes when the URL is saved. Returns the reason of a failure, or undefined.
   */
  async function verifyCallbackUrl(): Promise<string | undefined> {
    const url = callbackUrl()
    if (url === undefined) return 'no callback URL is set'
    const query = toEchoQuery(account(), clock(), random)
    const judge = ({ status, body }: CallbackAnswer): Reply =>
      status === 200 && body === query.echostr
        ? { kind: 'silent' }
        : {
            kind: 'fault',
            reason: `Token验证失败: HTTP status ${status}, and the body is not exactly the echostr`,
          }
    const request = { title: 'echostr', method: 'GET', url: withQuery(url, query), headers: {}, raw: '', opened: '' }
    const { reply, endRest } = await attempt(request, judge, 'check')
    endRest()
    return reply.kind === 'fault' ? reply.reason : undefined
  }

  return { deliver, verifyCallbackUrl }
}

/** Changes one character of a signed value. In plain mode this value is the nonce, otherwise the ciphertext. */
function tamper({ query, body }: Sealed): Sealed {
  const sealed = body.replace(/(<Encrypt><!\[CDATA\[)(.)/, (_, before, first) => before + (first === 'A' ? 'B' : 'A'))
  return sealed === body ? { query: { ...query, nonce: `${query.nonce}0` }, body } : { query, body: sealed }
}

function toReply(answer: CallbackAnswer, judge: (answer: CallbackAnswer) => Reply): Reply {
  return answer.status === 0 ? { kind: 'fault', reason: 'no connection' } : judge(answer)
}

function withQuery(url: string, query: Record<string, string>): string {
  const target = new URL(url)
  for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value)
  return target.href
}
