/**
 * The page to which the browser returns from WeChat. The fragment of the page's URL then contains the proof. No server, log or
 * `Referer` gets a fragment. Pure.
 */
import { BindError } from '../errors.ts'

/** Our names in the fragment. */
const OURS = /^wechat-bind(?:-error)?=/

// A browser removes or replaces these characters before it parses a URL. Another parser may keep them and see another host. A
// browser keeps a backslash in the query and in the fragment.
const AMBIGUOUS = /^[^?#]*\\|[\p{Cc}\p{Z}]/u

// The URL comes back in a header, and nginx reads 4 KiB of headers by default.
const MAX_LENGTH = 2048

/** Returns the URL in its normal form. Throws `BAD_REQUEST` unless its origin is allowed. */
export function parseReturn(text: string, isAllowed: (origin: string) => boolean): string {
  const url = AMBIGUOUS.test(text) ? null : URL.parse(text)
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (isPlain && isAllowed(url.origin) && url.href.length <= MAX_LENGTH) return url.href
  throw new BindError(
    'BAD_REQUEST',
    'Invalid input: return must be the URL of a page, at most 2048 characters, whose origin is in ALLOWED_ORIGINS or is that of PUBLIC_URL.',
  )
}

/**
 * Adds `name=value` to the fragment. The router of the page may use the fragment, so its part stays in front and ours follows
 * like a query: `#/account` becomes `#/account?wechat-bind=…`. An earlier result is replaced.
 */
export function addToFragment(url: string, name: 'wechat-bind' | 'wechat-bind-error', value: string): string {
  const at = url.indexOf('#')
  const own = at < 0 ? '' : withoutOurs(url.slice(at + 1))
  const separator = own === '' ? '' : own.includes('?') ? '&' : '?'
  return `${at < 0 ? url : url.slice(0, at)}#${own}${separator}${name}=${value}`
}

function withoutOurs(fragment: string): string {
  const queryAt = fragment.indexOf('?') + 1
  const pairs = fragment.slice(queryAt).split('&')
  const others = pairs.filter((pair) => !OURS.test(pair))
  if (others.length === pairs.length) return fragment
  return others.length === 0
    ? fragment.slice(0, Math.max(0, queryAt - 1))
    : fragment.slice(0, queryAt) + others.join('&')
}
