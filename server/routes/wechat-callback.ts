/** WeChat's callback. GET proves to WeChat that this server owns the URL; POST delivers messages. */
import { applyIntent } from '../binding/apply-intent.ts'
import { deliveryKeyOf, type Intent, toIntent } from '../binding/intent.ts'
import { foreignScan, SCAN_LINE } from '../binding/scan-outcome.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { type Answer, textAnswer } from '../http/answer.ts'
import type { Body } from '../http/body-limit.ts'
import { createBodyBudget } from '../http/body-limit.ts'
import type { Endpoint, EndpointRequest } from '../http/endpoint.ts'
import type { RawDelivery } from '../outbound/forwarder.ts'
import { toCause } from '../telemetry/cause.ts'
import { isWarningKind } from '../telemetry/warnings.ts'
import { toEvent, type WechatEvent } from '../wechat/event.ts'
import { type Message, openEcho, openMessage, sealReply } from '../wechat/message.ts'

const PATH = '/wechat/callback'

// WeChat's largest messages are a few KiB.
const MAX_BODY = 64 * 1024

// This is enough for 512 of the largest bodies, or for 30,000 events of about 1 KiB.
const MAX_BODIES = 32 * 1024 * 1024

/** WeChat's word for "handled, no reply". It is the default answer to a message that is not about binding. */
const HANDLED = 'success'

const decoder = new TextDecoder()

/** A delivery is answered only after the commit of its changes. All refusals get the same answer; the log has the cause. */
export function callbackEndpoints(deps: Deps, budget = createBodyBudget(MAX_BODIES)): Endpoint[] {
  const { callback, events, figures, forwarder, metrics, clock, log, warn } = deps

  async function take({ search, headers, requestId }: EndpointRequest, body: Body): Promise<Answer> {
    const delivery = { search, body, contentType: headers['content-type'] }
    const message = openMessage(callback, new URLSearchParams(search), decoder.decode(body), clock())
    figures.callback()
    const event = toEvent(message.fields)
    const intent = toIntent(event, events.appId, events.rules)
    metrics.callbacks.inc({ outcome: intent ? 'ours' : 'other' })
    if (intent?.type !== 'claim' && 'scene' in event && event.scene !== undefined) {
      log.info({ requestId, ...foreignScan }, SCAN_LINE)
    }
    if (event.type === 'other' || !intent) return relay(delivery)
    const replied = await replyToOurs(message, event, intent)
    // The chat command changed nothing: an unbound user who sends "解绑" may mean the system at FORWARD_URL. WeChat gets that
    // system's reply, or our reply if FORWARD_URL is not set.
    if (!replied.isOurs) return relay(delivery, replied.text)
    if (forwarder && (forwarder.sendsAll || isFollowing(event))) forwarder.notify(delivery)
    return toAnswer(replied.text)
  }

  async function replyToOurs(message: Message, event: OurEvent, intent: Intent): Promise<Replied> {
    const delivery = { key: deliveryKeyOf(event, events.appId), nonce: message.nonce }
    const outcome = await applyIntent(deps, delivery, intent)
    if (outcome === 'replayed') throw replayed()
    const text = outcome.reply === null ? HANDLED : sealReply(callback, message, outcome.reply, clock())
    return { text, isOurs: outcome.isOurs }
  }

  /** Forwards a delivery to the system that owned the callback before. Does not access the store. */
  async function relay(delivery: RawDelivery, otherwise = HANDLED): Promise<Answer> {
    if (!forwarder) return toAnswer(otherwise)
    const relayed = await forwarder.relay(delivery)
    if (relayed) return { status: 200, headers: { 'Content-Type': relayed.contentType }, body: relayed.body }
    // A 500 makes WeChat repeat the delivery, as the failure of the other system would do without this server.
    return forwarder.hidesErrors ? toAnswer(otherwise) : textAnswer('failed', 500)
  }

  function refuse(error: BindError, { requestId }: EndpointRequest): Answer {
    const { code } = error
    if (error.status < 500) {
      metrics.callbacks.inc({ outcome: 'refused' })
      logRefusal(requestId, code, code === 'TOO_LARGE' ? 'size' : toCause(error.cause))
      return textAnswer('refused', 403)
    }
    // WeChat repeats a delivery that is not answered with success, so the event is not lost while the store is down.
    metrics.callbacks.inc({ outcome: 'failed' })
    // The request's log line has the code. A second line for each request would fill the log during an overload.
    if (code === 'OVERLOADED') return { ...textAnswer('failed', 500), refusal: code }
    log.error({ requestId, code, cause: toCause(error.cause) }, error.message)
    return textAnswer('failed', 500)
  }

  /**
   * If WeChat's console has another mode, every callback is refused. The log then has the fix once a minute, instead of a warning
   * for each callback.
   */
  function logRefusal(requestId: string, code: string, cause: string | undefined): void {
    const fields = { requestId, code, cause }
    if (!isWarningKind(cause)) log.warn(fields, 'a callback was refused')
    else if (!warn(cause, fields)) log.info(fields, 'a callback was refused')
  }

  return [
    {
      method: 'GET',
      path: PATH,
      headers: [],
      maxBody: 0,
      answer: async ({ search }) => textAnswer(openEcho(callback, new URLSearchParams(search), clock())),
      refuse,
    },
    { method: 'POST', path: PATH, headers: ['content-type'], maxBody: MAX_BODY, budget, answer: take, refuse },
  ]
}

type Replied = { text: string; isOurs: boolean }

type OurEvent = Exclude<WechatEvent, { type: 'other' }>

/** Other systems keep lists of followers, so they need every follow, every unfollow and every revoked authorization. */
const isFollowing = ({ type }: OurEvent) => type !== 'SCAN' && type !== 'text'

const replayed = () =>
  new BindError('CALLBACK_REFUSED', 'This nonce was used before with another body.', { cause: 'nonce replay' })

const toAnswer = (text: string): Answer => ({
  status: 200,
  headers: { 'Content-Type': contentTypeOf(text) },
  body: text,
})

function contentTypeOf(reply: string): string {
  if (reply === HANDLED) return 'text/plain; charset=utf-8'
  return reply.startsWith('{') ? 'application/json; charset=utf-8' : 'application/xml; charset=utf-8'
}
