/**
 * Sends one poll per browser and user for all tabs and elements that wait. The element that holds a Web Lock polls and
 * sends the result to the others by BroadcastChannel. When the tab of this element closes, the browser grants the lock
 * to the next element.
 */

/**
 * A message between tabs. If it has a `state`, the message is a binding. Otherwise it contains only the version that
 * the sender knows.
 */
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
  // Web Locks forbid a name that starts with a hyphen, and the prefix prevents such a name.
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
        // The sender knows an older version, so it missed a message. This element releases the lock, so that the sender
        // gets the lock and polls.
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
    // On a sandboxed page, or when the user blocks site data, both APIs exist but throw a SecurityError.
    if ((error as Error).name === 'SecurityError') return await poll(signal)
    throw error
  } finally {
    done.abort()
    channel?.close()
    signal.removeEventListener('abort', abort)
  }
}
