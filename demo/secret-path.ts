/**
 * A demo that uses a real WeChat account displays real openids, chats and signed URLs. Its address is public, because WeChat
 * must reach it. Therefore the whole demo is below a secret path. Only the callback, the widget API and the element's file are
 * public, because WeChat and the pages of other sites need them.
 */
import { type Context, Hono } from 'hono'
import { equalInConstantTime } from '../server/crypto.ts'

type SecretPathDeps = {
  secret: string
  /** The whole demo. The requests that it receives no longer contain the secret path. */
  inside: Hono
  /** The bind server. */
  bind: (request: Request, bindings: object) => Promise<Response>
}

export function hideBehindSecretPath({ secret, inside, bind }: SecretPathDeps): Hono {
  const toBind = (c: Context) => bind(c.req.raw, c.env as object)
  return new Hono()
    .all('/wechat/*', toBind)
    .all('/widget/*', toBind)
    .get('/wechat-bind.js', toBind)
    .get('/:file{MP_verify_[\\w-]+\\.txt}', toBind)
    .all('*', (c) => {
      const url = new URL(c.req.url)
      const [, first = '', path] = /^\/([^/]*)(\/.*)?$/s.exec(url.pathname) ?? []
      if (!equalInConstantTime(first, secret)) return c.text(NOT_FOUND, 404)
      // The page's URLs are relative to this slash. The redirect is relative too, because a proxy may serve the demo below another path.
      if (path === undefined) return c.redirect(`${secret}/${url.search}`)
      url.pathname = path
      return inside.fetch(new Request(url, c.req.raw), c.env)
    })
}

const NOT_FOUND = 'Not found. Open the URL that the demo printed at its start. 未找到。请打开演示启动时打印的网址。\n'
