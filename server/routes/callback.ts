/** WeChat's side. GET proves that the URL is ours, POST delivers messages. */
import { type Context, Hono } from 'hono'
import { commonHeaders, toResponse, toText } from '../answer.ts'
import { applyDeed } from '../binding/apply-deed.ts'
import { type Deed, deliveryKeyOf, toDeed } from '../binding/deed.ts'
import { bodyLimit } from '../body-limit.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import type { Delivery } from '../forward.ts'
import { toBindError } from '../problem.ts'
import { toEvent, type WechatEvent } from '../wechat/event.ts'
import { type Message, openEcho, openMessage, sealReply } from '../wechat/message.ts'

/** WeChat's word for "handled, nothing to say"; the default for all that is not ours. */
const HANDLED = 'success'

// WeChat's largest messages are a few KiB.
const MAX_BODY = 64 * 1024

const decoder = new TextDecoder()

export function callbackRoutes(deps: Deps) {
  const { callback, events, store, afterCommit, forwarder, metrics, clock, log } = deps

  /** What is ours: applied, and answered only after its commit. */
  async function replyToOurs(message: Message, event: OurEvent, deed: Deed): Promise<Replied> {
    const now = clock()
    const delivery = { key: deliveryKeyOf(event, events.appId), nonce: message.nonce }
    const outcome = await applyDeed(store, events, delivery, deed, now)
    if (outcome === 'replayed') throw replayed()
    afterCommit(outcome.changes, outcome.said)
    const text = outcome.reply === null ? HANDLED : sealReply(callback, message, outcome.reply, now)
    return { text, isOurs: outcome.isOurs }
  }

  /** What is not ours goes to who owned the callback before, and costs no store access. */
  async function answerOther(c: Context, body: ArrayBuffer, otherwise = HANDLED): Promise<Response> {
    const relayed = await forwarder?.relay(toDelivery(c, body))
    if (!relayed) return answer(c, otherwise)
    return new Response(relayed.body, { headers: { ...commonHeaders(c), 'Content-Type': relayed.contentType } })
  }

  return new Hono()
    .use(bodyLimit(MAX_BODY))
    .get('/', (c) => toText(c, openEcho(callback, c.req.queries(), clock())))
    .post('/', async (c) => {
      const body = await c.req.arrayBuffer()
      const message = openMessage(callback, c.req.queries(), decoder.decode(body), clock())
      const event = toEvent(message.fields)
      const deed = toDeed(event, events.appId, events.rules)
      metrics.callbacks.inc({ outcome: deed ? 'ours' : 'other' })
      if (event.type === 'other' || !deed) return answerOther(c, body)
      const { text, isOurs } = await replyToOurs(message, event, deed)
      // A follow that is not ours to greet, a "yes" that answers no question of ours: the other system's.
      if (!isOurs) return answerOther(c, body, text)
      if (forwarder && (forwarder.tellsAll || isFollowing(event))) forwarder.tell(toDelivery(c, body))
      return answer(c, text)
    })
    .onError((thrown, c) => {
      const error = toBindError(thrown)
      const requestId = c.get('requestId')
      if (error.status < 500) {
        metrics.callbacks.inc({ outcome: 'refused' })
        log.warn(
          { requestId, code: error.code, cause: error.code === 'TOO_LARGE' ? 'size' : error.cause },
          'a callback was refused',
        )
        // What was not read of a body that is too large would be taken for the next request on this connection.
        const headers: Record<string, string> = error.code === 'TOO_LARGE' ? { Connection: 'close' } : {}
        return toText(c, 'refused', 403, headers)
      }
      // 500 and not 503: WeChat redelivers what is not answered with success, which is what a store that is down needs.
      metrics.callbacks.inc({ outcome: 'failed' })
      log.error({ requestId, code: error.code, cause: (error.cause as Error | undefined)?.message }, error.message)
      return toText(c, 'failed', 500)
    })
}

const toDelivery = (c: Context, body: ArrayBuffer): Delivery => ({
  search: new URL(c.req.url).search,
  body,
  contentType: c.req.header('Content-Type'),
})

type Replied = { text: string; isOurs: boolean }

const answer = (c: Context, text: string) =>
  toResponse(c, { status: 200, headers: { 'Content-Type': contentTypeOf(text) }, body: text })

type OurEvent = Exclude<WechatEvent, { type: 'other' }>

/** Others keep lists of followers: they must hear of every follow and unfollow. */
const isFollowing = ({ type }: OurEvent) => type === 'subscribe' || type === 'unsubscribe'

const replayed = () =>
  new BindError('CALLBACK_REFUSED', 'The nonce came before with another body.', { cause: 'nonce replay' })

function contentTypeOf(reply: string): string {
  if (reply === HANDLED) return 'text/plain; charset=utf-8'
  return reply.startsWith('{') ? 'application/json; charset=utf-8' : 'application/xml; charset=utf-8'
}
