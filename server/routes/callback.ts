/** WeChat's side. GET proves that the URL is ours, POST delivers messages. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { applyDeed } from '../binding/apply-deed.ts'
import { deliveryKeyOf, toDeed } from '../binding/deed.ts'
import type { Deps } from '../deps.ts'
import { toBindError } from '../problem.ts'
import { toEvent } from '../wechat/event.ts'
import { type Message, openEcho, openMessage, sealReply } from '../wechat/message.ts'

/** WeChat's word for "handled, nothing to say"; the default for all that is not ours. */
const HANDLED = 'success'

// WeChat's largest messages are a few KiB.
const MAX_BODY = 64 * 1024

export function callbackRoutes(deps: Deps) {
  const { callback, events, store, unionids, clock, log } = deps

  async function replyTo(message: Message): Promise<string> {
    const event = toEvent(message.fields)
    const deed = toDeed(event, events.appId, events.rules)
    if (event.type === 'other' || !deed) return HANDLED
    const now = clock()
    const { reply, changes } = await applyDeed(store, events, deliveryKeyOf(event, events.appId), deed, now)
    unionids.follow(changes)
    return reply === null ? HANDLED : sealReply(callback, message, reply, now)
  }

  return new Hono()
    .use(bodyLimit({ maxSize: MAX_BODY }))
    .get('/', (c) => c.text(openEcho(callback, c.req.queries(), clock())))
    .post('/', async (c) => {
      const message = openMessage(callback, c.req.queries(), await c.req.text(), clock())
      const reply = await replyTo(message)
      return c.body(reply, 200, { 'Content-Type': contentTypeOf(reply) })
    })
    .onError((thrown, c) => {
      const error = toBindError(thrown)
      if (error.code === 'TOO_LARGE') return c.text(error.code, 413)
      if (error.code === 'CALLBACK_REFUSED') {
        log.warn({ code: error.code, cause: error.cause }, 'a callback was refused')
        return c.text('refused', 403)
      }
      // 500 and not 503: WeChat redelivers what is not answered with success, which is what a store that is down needs.
      log.error({ code: error.code, cause: (error.cause as Error | undefined)?.message }, error.message)
      return c.text('failed', 500)
    })
}

function contentTypeOf(reply: string): string {
  if (reply === HANDLED) return 'text/plain; charset=utf-8'
  return reply.startsWith('{') ? 'application/json; charset=utf-8' : 'application/xml; charset=utf-8'
}
