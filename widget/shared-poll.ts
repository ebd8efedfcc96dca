/**
 * One poll per browser and user, however many tabs and elements wait. Web Locks elect the element that polls; it sends the
 * result to the others by BroadcastChannel. When its tab closes, the browser grants the lock to the next element.
 */

/** A message between tabs: a binding, or, without `state`, the version that the sender knows. */
type TabMessage = { version: number; state?: string }

/**
 * Runs `poll`, or waits until the poll of another element returns a version greater than `version`. `user` is the server's
 * opaque id of the user. Without `user`, or on a page without Web Locks (plain http), each element polls for itself.
 */
export async function sharedPoll<View extends TabMessage>(
  user: string | null,
  version: number,
  signal: AbortSignal,
  poll: (signal: AbortSignal) => Promise<View | null>,
): Promise<View | null> {
  if (!user || !navigator.locks || !globalThis.BroadcastChannel) return poll(signal)
  // The prefix also keeps the name from starting with a hyphen, which Web Locks forbid.
  const name = `wechat-bind ${user}`
  const done = new AbortController()
  const abort = () => done.abort(signal.reason)
  signal.addEventListener('abort', abort)
  let channel: BroadcastChannel | undefined
  try {
    const opened = new BroadcastChannel(name)
    channel = opened
    const received = new Promise<View | null>((resolve) => {
      opened.onmessage = ({ data }: MessageEvent<TabMessage>) => {
        if (data.state && data.version > version) resolve(data as View)
        // The sender knows an older version and missed a message. This element ends its poll: the sender gets the lock, and the server answers its poll at once.
        if (data.version < version) resolve(null)
      }
    })
    opened.postMessage({ version } satisfies TabMessage)
    const polled = navigator.locks.request(name, { signal: done.signal }, async () => {
      const view = await poll(done.signal)
      if (view) opened.postMessage(view)
      return view
    })
    return await Promise.race([received, polled])
  } catch (error) {
    // A sandboxed page or blocked site data: both APIs exist, but their use is forbidden.
    if ((error as Error).name === 'SecurityError') return await poll(signal)
    throw error
  } finally {
    done.abort()
    channel?.close()
    signal.removeEventListener('abort', abort)
  }
}
