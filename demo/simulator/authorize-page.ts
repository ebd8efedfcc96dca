/**
 * The page `connect/oauth2/authorize` over HTTP. The real WeChat knows whose phone opens this page. In the simulator, a
 * cookie from the control API or the end of the `User-Agent` (`simulated-person/amy`) names the phone. A browser that
 * names no phone gets a page with a list of the phones. This page has no script and no style.
 */
import { type Context, Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { html } from 'hono/html'
import { WechatRefusal } from './errcodes.ts'
import type { Faults } from './faults.ts'
import type { Phone } from './phone.ts'
import { type PageError, pageError, type WebAuthorization } from './web-authorization.ts'

export const AUTHORIZE_PATH = '/connect/oauth2/authorize'

/** The cookie with the name of the person and the answer, for example `amy.decline`. */
export const PERSON_COOKIE = 'simulated-person'

type PageDeps = {
  webAuthorization: WebAuthorization
  phones: Phone[]
  phone: (person: string) => Phone
  faults: Faults
}

export function createAuthorizePage({ webAuthorization, phones, phone, faults }: PageDeps): Hono {
  return new Hono()
    .get('/oauth2/authorize', async (c) => {
      c.header('Cache-Control', 'no-store')
      try {
        await faults.apply(AUTHORIZE_PATH)
      } catch (error) {
        if (!(error instanceof WechatRefusal)) throw error
        return c.html(toErrorPage(pageError(error.errcode)))
      }
      const { person, answer } = visitorOf(c)
      if (person === undefined) return c.html(toChoice(c.req.url, phones))
      const result = webAuthorization.authorize(phone(person), withoutChoice(c.req.url), {
        isDeclined: answer === 'decline',
        isSnapshot: answer === 'snapshot',
      })
      return 'location' in result ? c.redirect(result.location) : c.html(toErrorPage(result.error))
    })
    .onError((error, c) => c.html(toErrorPage({ code: null, text: error.message }), 400))
}

function visitorOf(c: Context): { person: string | undefined; answer: string | undefined } {
  const [, fromAgent] = /\bsimulated-person\/([\w-]{1,64})/.exec(c.req.header('User-Agent') ?? '') ?? []
  const [fromCookie, answer] = getCookie(c, PERSON_COOKIE)?.split('.') ?? []
  return { person: c.req.query('person') ?? fromAgent ?? fromCookie, answer: c.req.query('answer') ?? answer }
}

/** The link as the bind server made it. */
function withoutChoice(link: string): string {
  const url = new URL(link)
  for (const name of ['person', 'answer']) url.searchParams.delete(name)
  return url.href
}

function toChoice(link: string, phones: Phone[]) {
  const to = (person: string, answer: string) => {
    const { search } = new URL(link)
    return `${search}&${new URLSearchParams({ person, answer })}`
  }
  return toPage(
    '请在微信客户端打开链接',
    html`<p lang="en">This link opens only in WeChat. Choose a simulated phone:</p>
<ul>${phones.map(
      ({ person }) => html`<li>${person}:
<a href="${to(person, 'allow')}">允许 Allow</a> <a href="${to(person, 'decline')}">拒绝 Decline</a>
<a href="${to(person, 'snapshot')}">快照页 Snapshot page</a></li>`,
    )}</ul>`,
  )
}

const toErrorPage = ({ code, text }: PageError) => toPage(text, html`<p>${code === null ? '' : `错误码:${code}`}</p>`)

const toPage = (title: string, content: unknown) =>
  html`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><h1>${title}</h1>${content}</html>`
