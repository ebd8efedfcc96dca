/**
 * The result with which the browser returns from WeChat's authorization: `wechat-bind=<proof>` or `wechat-bind-error=<code>` in the
 * fragment of the page's URL. It counts once, so only one element of the page gets it.
 */
import { BindError } from './bind-error.ts'

type Returned = { proof?: string; error?: BindError }

let received: Returned | undefined

/** Removes the result from the URL at once, so that the user cannot share it by copying the URL. The page's own fragment stays as it is. */
export function receiveReturn(): void {
  const url = new URL(location.href)
  const own = url.hash.replace(
    /([#?&])wechat-bind(-error)?=([\w-]+)(&?)/,
    (_result, before: string, isError: string | undefined, value: string, after: string) => {
      received = isError ? { error: new BindError(value, 'The authorization in WeChat failed') } : { proof: value }
      return after && before
    },
  )
  if (own === url.hash) return
  url.hash = own
  history.replaceState(history.state, '', url)
}

/** Returns the result to the first caller. */
export function claimReturn(): Returned | undefined {
  const claimed = received
  received = undefined
  return claimed
}
