/** The field `cause` of log lines. It is a text for every kind of error, so that one filter works for every line. */

/**
 * Returns a word of this server (such as `msg_signature`), WeChat's `errcode` and `errmsg`, or the code and message of an error.
 * The text contains no query string, because no error is made from a query string.
 */
export function toCause(cause: unknown): string | undefined {
  if (cause === undefined || cause === null) return undefined
  if (typeof cause !== 'object') return String(cause)
  const { errcode, errmsg, name, message = '', code, cause: inner } = cause as Record<string, unknown>
  if (typeof errmsg === 'string') return `${errcode} ${errmsg}`
  // undici says only "fetch failed". The reason is in the cause of its error.
  if (message === 'fetch failed' && inner !== undefined) return toCause(inner)
  const kind = String(code ?? name ?? 'unknown')
  const text = String(message)
  return text.includes(kind) ? text : [kind, text].filter((part) => part !== '').join(': ')
}
