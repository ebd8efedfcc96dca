/** One poll per browser: of all tabs and elements that wait for the same user, the one that holds the lock asks, the others listen. */

/** A message between tabs: a view of the binding, or without a `state` only the version past which the sender waits. */
type TabMessage = { version: number; state?: string }

/**
 * Runs `poll`, or waits until another element's has found a version past `version`. `user` is an opaque name, the same for the same user;
 * without one, or in a page without locks (plain http), everyone asks alone.
 */
export async function share<View extends TabMessage>(
  user: string | null,
  version: number,
  signal: AbortSignal,
  poll: (signal: AbortSignal) => Promise<View | null>,
): Promise<View | null> {
  if (!user || !navigator.locks || !globalThis.BroadcastChannel) return poll(signal)
  // A lock's name may not begin with a hyphen, and a user's may.
  const name = `wechat-bind ${user}`
  const leave = new AbortController()
  const abort = () => leave.abort(signal.reason)
  signal.addEventListener('abort', abort)
  let channel: BroadcastChannel | undefined
  try {
    const line = new BroadcastChannel(name)
    channel = line
    const heard = new Promise<View | null>((resolve) => {
      line.onmessage = ({ data }: MessageEvent<TabMessage>) => {
        if (data.state && data.version > version) resolve(data as View)
        // Who comes with an older version missed what this one was told: the lock is left to it, its poll is answered at once.
        if (data.version < version) resolve(null)
      }
    })
    line.postMessage({ version } satisfies TabMessage)
    const asked = navigator.locks.request(name, { signal: leave.signal }, async () => {
      const view = await poll(leave.signal)
      if (view) line.postMessage(view)
      return view
    })
    return await Promise.race([heard, asked])
  } catch (error) {
    // A sandboxed page, or one whose site data is blocked, has both and may use neither.
    if ((error as Error).name === 'SecurityError') return await poll(signal)
    throw error
  } finally {
    leave.abort()
    channel?.close()
    signal.removeEventListener('abort', abort)
  }
}
