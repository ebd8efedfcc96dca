/**
 * Warnings about mistakes of the set-up that are visible neither in a browser nor in WeChat. Each warning has a fix. A mistake
 * usually affects every request, so each kind is logged at most once a minute.
 */
import type { Log } from '../platform.ts'

const texts = {
  ciphertext:
    'callbacks are refused: WeChat sends ciphertext, but WECHAT_MODE is plain. Remove WECHAT_MODE (the default is secure) and set WECHAT_ENCODING_AES_KEY, or select 明文模式 in the console of a test account',
  plaintext:
    'callbacks are refused: WeChat sends plaintext, but WECHAT_MODE is not plain. Select 安全模式 in the console, or set WECHAT_MODE=plain for a test account',
  origin:
    'a page was refused: its origin is not allowed. If the page is yours, add the origin to ALLOWED_ORIGINS and restart',
  forward:
    'the system at FORWARD_URL did not accept a message. Check that system. With FORWARD_ERRORS=retry WeChat sends the message again, at most three times',
  store:
    '/readyz fails: the store cannot be read and written. Check the free space of the disk, the permissions of the file, or PostgreSQL',
  accessToken: '/readyz fails: there is no access token. Run "wechat-bind doctor"',
  connections: 'MAX_CONNECTIONS is reached: new connections are closed. Raise MAX_CONNECTIONS, or add an instance',
} as const

export type WarningKind = keyof typeof texts

/** Returns false if a warning of this kind was logged less than a minute ago. The new warning is then not logged. */
export type Warn = (kind: WarningKind, fields: object) => boolean

const MINUTE_MS = 60_000

/** `clock` must be monotonic (ms), so that a correction of the system clock does not suppress a warning. */
export function createWarnings(log: Log, clock: () => number): Warn {
  const nextAt = new Map<WarningKind, number>()
  return (kind, fields) => {
    const now = clock()
    if (now < (nextAt.get(kind) ?? Number.NEGATIVE_INFINITY)) return false
    nextAt.set(kind, now + MINUTE_MS)
    log.warn(fields, texts[kind])
    return true
  }
}

export const isWarningKind = (text: unknown): text is WarningKind =>
  typeof text === 'string' && Object.hasOwn(texts, text)
