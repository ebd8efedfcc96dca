/** The session's cookie. Scripts cannot read it, and a browser sends it only with requests of the console's own pages. Pure. */

const NAME = 'wechat-bind-console'

// The server checks at most this many values, because each value costs a query.
const MAX_COOKIES = 4

type CookieOptions = { path: string; isSecure: boolean }

/** `value` undefined removes the cookie. */
export function toSetCookie(value: string | undefined, expiresInMs: number, { path, isSecure }: CookieOptions): string {
  const maxAge = value === undefined ? 0 : Math.floor(expiresInMs / 1000)
  const parts = [`${NAME}=${value ?? ''}`, `Path=${path}`, `Max-Age=${maxAge}`, 'HttpOnly', 'SameSite=Strict']
  return [...parts, ...(isSecure ? ['Secure'] : [])].join('; ')
}

/** Returns all values of the cookie, because a browser also sends the cookies of consoles on other ports of the same host. */
export function readCookies(header: string | undefined): string[] {
  const values = (header ?? '').split(';').flatMap((part) => {
    const [name, value] = part.trim().split('=')
    return name === NAME && value ? [value] : []
  })
  return values.slice(0, MAX_COOKIES)
}
