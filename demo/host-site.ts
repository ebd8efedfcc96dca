/** The back end of the demo's host site. It has the endpoints that the server of any site with the element needs. */
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type BindClient, BindError } from '../server/client.ts'
import { ACCOUNT, findUser, type User } from './users.ts'

/** The binding in the form that this back end returns to its page. `boundAt` is in Unix seconds. */
export type HostBinding = {
  isBound: boolean
  boundAt: number | null
  openid: string | null
  isSubscribed: boolean
  version: number
}

type HostSiteDeps = {
  bind: BindClient
  /** The answer to a webhook if the receiver must fail; undefined if it must accept the webhook. */
  failWebhook?: () => Promise<Response> | undefined
}

export function createHostSite({ bind, failWebhook = () => undefined }: HostSiteDeps): Hono {
  const toSubject = ({ id }: User) => ({ account: ACCOUNT, userId: id })

  async function bindingOf(user: User): Promise<HostBinding> {
    const { IsBound, BoundAt, OpenId, IsSubscribed, Version } = await bind.getBindInfo(toSubject(user))
    return { isBound: IsBound, boundAt: BoundAt, openid: OpenId, isSubscribed: IsSubscribed, version: Version }
  }

  return (
    new Hono()
      .use(async (c, next) => {
        c.header('Cache-Control', 'no-store')
        await next()
      })
      .get('/token', async (c) => {
        const user = signedIn(c)
        return c.json({ token: await bind.mintToken({ ...toSubject(user), label: user.label }) })
      })
      .get('/bind-info', async (c) => c.json(await bindingOf(signedIn(c))))
      .post('/disconnect', async (c) => {
        const user = signedIn(c)
        await bind.disconnect(toSubject(user)).catch(ignoreNotBound)
        return c.json(await bindingOf(user))
      })
      /** Receives webhooks of the bind server. An invalid signature gets an error response, so the bind server retries the webhook. */
      .post('/webhook', async (c) => {
        bind.verifyWebhook(await c.req.text(), c.req.raw.headers)
        return failWebhook() ?? c.body(null, 204)
      })
      .onError((error, c) => {
        if (error instanceof HTTPException) return error.getResponse()
        if (!(error instanceof BindError)) throw error
        return c.json({ code: error.code, message: error.message }, 502)
      })
  )
}

/**
 * Returns the signed-in user. The URL of the page contains the user, so that a link opens the page for the same user. A
 * real site reads its session cookie.
 */
function signedIn(c: Context): User {
  const user = findUser(c.req.query('user'))
  if (!user)
    throw new HTTPException(401, { res: c.json({ code: 'SIGNED_OUT', message: 'No user is signed in.' }, 401) })
  return user
}

/**
 * If two pages unbind at the same time, the second one gets NOT_BOUND. This is not an error, because the binding has
 * ended.
 */
function ignoreNotBound(error: unknown): void {
  if (!(error instanceof BindError && error.code === 'NOT_BOUND')) throw error
}
