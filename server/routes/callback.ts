/** WeChat's side. GET proves that the URL is ours, POST delivers messages. */
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { applyDeed } from '../binding/apply-deed.ts'
import { type Deed, deliveryKeyOf, toDeed } from '../binding/deed.ts'
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
  const { callback, events, store, unionids, forwarder, metrics, clock, log } = deps

  /** What is ours: applied, and answered only after its commit. */
  async function replyToOurs(message: Message, event: OurEvent, deed: Deed): Promise<string> {
    const now = clock()
    const delivery = { key: deliveryKeyOf(event, events.appId), nonce: message.nonce }
    const outcome = await applyDeed(store, events, delivery, deed, now)
    if (outcome === 'replayed') throw replayed()
    unionids.follow(outcome.changes)
    metrics.countChanges(outcome.changes)
    return outcome.reply === null ? HANDLED : sealReply(callback, message, outcome.reply, now)
  }

  /** What is not ours goes to who owned the callback before, and costs no store access. */
  async function answerOther(c: Context, delivery: Delivery): Promise<Response> {
    const relayed = await forwarder?.relay(delivery)
    return relayed ? c.body(relayed.body, 200, { 'Content-Type': relayed.contentType }) : c.text(HANDLED)
  }

  return new Hono()
    .use(bodyLimit({ maxSize: MAX_BODY }))
    .get('/', (c) => c.text(openEcho(callback, c.req.queries(), clock())))
    .post('/', async (c) => {
      const body = await c.req.arrayBuffer()
      const delivery = { search: new URL(c.req.url).search, body, contentType: c.req.header('Content-Type') }
      const message = openMessage(callback, c.req.queries(), decoder.decode(body), clock())
      const event = toEvent(message.fields)
      const deed = toDeed(event, events.appId, events.rules)
      metrics.callbacks.inc({ outcome: deed ? 'ours' : 'other' })
      if (event.type === 'other' || !deed) return answerOther(c, delivery)
      const reply = await replyToOurs(message, event, deed)
      // A follow to which we have nothing to say is the other system's to greet.
      if (reply === HANDLED && event.type === 'subscribe') return answerOther(c, delivery)
      if (forwarder && (forwarder.tellsAll || isFollowing(event))) forwarder.tell(delivery)
      return c.body(reply, 200, { 'Content-Type': contentTypeOf(reply) })
    })
    .onError((thrown, c) => {
      const error = toBindError(thrown)
      if (error.code === 'TOO_LARGE') return c.text(error.code, 413)
      if (error.code === 'CALLBACK_REFUSED') {
        metrics.callbacks.inc({ outcome: 'refused' })
        log.warn({ code: error.code, cause: error.cause }, 'a callback was refused')
        return c.text('refused', 403)
      }
      // 500 and not 503: WeChat redelivers what is not answered with success, which is what a store that is down needs.
      metrics.callbacks.inc({ outcome: 'failed' })
      log.error({ code: error.code, cause: (error.cause as Error | undefined)?.message }, error.message)
      return c.text('failed', 500)
    })
}

type OurEvent = Exclude<WechatEvent, { type: 'other' }>

/** Others keep lists of followers: they must hear of every follow and unfollow. */
const isFollowing = ({ type }: OurEvent) => type === 'subscribe' || type === 'unsubscribe'

const replayed = () =>
  new BindError('CALLBACK_REFUSED', 'The nonce came before with another body.', { cause: 'nonce replay' })

function contentTypeOf(reply: string): string {
  if (reply === HANDLED) return 'text/plain; charset=utf-8'
  return reply.startsWith('{') ? 'application/json; charset=utf-8' : 'application/xml; charset=utf-8'
}
