/** WeChat's callback, whoever serves it: a delivery in, an answer out. GET proves that the URL is ours, POST delivers messages. */
import { Hono } from 'hono'
import { applyIntent } from '../binding/apply-intent.ts'
import { deliveryKeyOf, type Intent, toIntent } from '../binding/intent.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { type Answer, plainText, toResponse } from '../http/answer.ts'
import { type Endpoint, endpointRoutes } from '../http/endpoint.ts'
import { toBindError } from '../http/problem.ts'
import type { RawDelivery } from '../outbound/forwarder.ts'
import { toEvent, type WechatEvent } from '../wechat/event.ts'
import { type Message, openEcho, openMessage, type Query, sealReply } from '../wechat/message.ts'

export const CALLBACK_PATH = '/wechat/callback'

// WeChat's largest messages are a few KiB.
const MAX_BODY = 64 * 1024

/** Deliveries are answered only after the commit of what they say, and refused with one answer for every cause: it is in the log. */
export type Callback = Endpoint & { echo(search: string, requestId: string): Answer }

/** WeChat's word for "handled, nothing to say"; the default for all that is not ours. */
const HANDLED = 'success'

const decoder = new TextDecoder()

export function createCallback(deps: Deps): Callback {
  const { callback, events, store, afterCommit, forwarder, metrics, clock, log } = deps

  /** What is ours: applied, and answered only after its commit. */
  async function replyToOurs(message: Message, event: OurEvent, intent: Intent): Promise<Replied> {
    const now = clock()
    const delivery = { key: deliveryKeyOf(event, events.appId), nonce: message.nonce }
    const outcome = await applyIntent(store, events, delivery, intent, now)
    if (outcome === 'replayed') throw replayed()
    afterCommit(outcome.changes, outcome.said)
    const text = outcome.reply === null ? HANDLED : sealReply(callback, message, outcome.reply, now)
    return { text, isOurs: outcome.isOurs }
  }

  /** What is not ours goes to who owned the callback before, and costs no store access. */
  async function answerOther(delivery: RawDelivery, otherwise = HANDLED): Promise<Answer> {
    const relayed = await forwarder?.relay(delivery)
    if (!relayed) return toAnswer(otherwise)
    return { status: 200, headers: { 'Content-Type': relayed.contentType }, body: relayed.body }
  }

  async function take(delivery: RawDelivery): Promise<Answer> {
    const text = decoder.decode(delivery.body)
    const message = openMessage(callback, parseQuery(delivery.search), text, clock())
    const event = toEvent(message.fields)
    const intent = toIntent(event, events.appId, events.rules)
    metrics.callbacks.inc({ outcome: intent ? 'ours' : 'other' })
    if (event.type === 'other' || !intent) return answerOther(delivery)
    const replied = await replyToOurs(message, event, intent)
    // A follow that is not ours to greet, a "yes" that answers no question of ours: the other system's.
    if (!replied.isOurs) return answerOther(delivery, replied.text)
    if (forwarder && (forwarder.sendsAll || isFollowing(event))) forwarder.notify(delivery)
    return toAnswer(replied.text)
  }

  function refuse(thrown: unknown, requestId: string): Answer {
    const error = toBindError(thrown)
    const { code } = error
    if (error.status < 500) {
      metrics.callbacks.inc({ outcome: 'refused' })
      log.warn({ requestId, code, cause: code === 'TOO_LARGE' ? 'size' : error.cause }, 'a callback was refused')
      const answer = plainText('refused', 403)
      // What was not read of a body that is too large would be taken for the next request on this connection.
      return code === 'TOO_LARGE' ? { ...answer, headers: { ...answer.headers, Connection: 'close' } } : answer
    }
    // 500 and not 503: WeChat redelivers what is not answered with success, which is what a store that is down needs.
    metrics.callbacks.inc({ outcome: 'failed' })
    log.error({ requestId, code, cause: (error.cause as Error | undefined)?.message }, error.message)
    return plainText('failed', 500)
  }

  return {
    echo(search, requestId) {
      try {
        return plainText(openEcho(callback, parseQuery(search), clock()))
      } catch (error) {
        return refuse(error, requestId)
      }
    },
    path: CALLBACK_PATH,
    maxBody: MAX_BODY,
    answer: (posted, requestId) => take(posted).catch((error) => refuse(error, requestId)),
    refuse,
  }
}

/** The callback as routes of the app. */
export function callbackRoutes(deps: Deps) {
  const callback = createCallback(deps)
  return new Hono()
    .get(CALLBACK_PATH, (c) => toResponse(c, callback.echo(new URL(c.req.url).search, c.get('requestId'))))
    .route('/', endpointRoutes(callback))
}

type Replied = { text: string; isOurs: boolean }

/** Each name with all of its values. */
function parseQuery(search: string): Query {
  const query: Query = Object.create(null)
  for (const [name, value] of new URLSearchParams(search)) {
    const values = query[name]
    if (values) values.push(value)
    else query[name] = [value]
  }
  return query
}

type OurEvent = Exclude<WechatEvent, { type: 'other' }>

/** Others keep lists of followers: they must hear of every follow and unfollow. */
const isFollowing = ({ type }: OurEvent) => type === 'subscribe' || type === 'unsubscribe'

const replayed = () =>
  new BindError('CALLBACK_REFUSED', 'The nonce came before with another body.', { cause: 'nonce replay' })

const toAnswer = (text: string): Answer => ({
  status: 200,
  headers: { 'Content-Type': contentTypeOf(text) },
  body: text,
})

function contentTypeOf(reply: string): string {
  if (reply === HANDLED) return 'text/plain; charset=utf-8'
  return reply.startsWith('{') ? 'application/json; charset=utf-8' : 'application/xml; charset=utf-8'
}
