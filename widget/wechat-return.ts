/**
 * Reads the result of WeChat's authorization from the fragment of the page's URL: `wechat-bind=<proof>` or
 * `wechat-bind-error=<code>`. A result can be used only once, so only one element of the page gets it.
 */
import { BindError } from './bind-error.ts'

type Returned = { proof?: string; error?: BindError }

let received: Returned | undefined

/**
 * Removes the result from the URL at once, so that a user who copies the URL does not share the result. The page's own
 * fragment stays as it is. The server adds its result at the end, so the function takes the last result: a link may
 * already contain another one.
 */
export function receiveReturn(): void {
  const { href } = location
  const own = href.replace(
    /(#(?:.*[?&])?)wechat-bind(-error)?=([\w-]+)(&?)/,
    (_result, before: string, isError: string | undefined, value: string, after: string) => {
      received = isError ? { error: new BindError(value, 'Not authorized in WeChat') } : { proof: value }
      return after ? before : before.slice(0, -1)
    },
  )
  if (own !== href) history.replaceState(history.state, '', own)
}

/** Returns the result to the first caller. */
export function claimReturn(): Returned | undefined {
  const claimed = received
  received = undefined
  return claimed
}
