/**
 * The traffic log contains the requests between page, bind server, WeChat and host site, both as sent and decrypted.
 * The newest entry is the last one. In URLs and in the API the log is named `wire`. An entry is added when a request
 * starts, so that pending requests are visible too.
 */

/**
 * `wechat`: a call of WeChat's API. `callback`: a delivery to the callback URL, one entry per attempt. `check`: the GET check
 * of the console. The demo adds `browser` (a call of the page), `api` (an encrypted call), `webhook` and `event` (a DOM event).
 */
export type WireKind = 'browser' | 'api' | 'callback' | 'check' | 'wechat' | 'webhook' | 'event'

export type TrafficRequest = {
  kind: WireKind
  /** Epoch ms of the request. */
  at: number
  title: string
  method: string
  url: string
  headers: Record<string, string>
  /** The request's body, as sent. `opened` is the decrypted body. It is empty if the body was not encrypted. */
  raw: string
  opened: string
}

type TrafficResponse = {
  tookMs: number
  /** HTTP status; 0 without a response. */
  status: number
  reply: string
  replyOpened: string
  /** The reason of a failure, or an empty text. */
  fault: string
}

export type WireEntry = TrafficRequest &
  TrafficResponse & {
    id: number
    /** Increases with each change of any entry. A client requests the changes since the last revision that it received. */
    revision: number
    isPending: boolean
  }

// The maximum number of entries: enough for an afternoon of manual tests, at most a few MB. Above the maximum the log
// removes the oldest entries.
const MAX_ENTRIES = 500
const MAX_CHARACTERS = 4_000_000
const MAX_FIELD_CHARACTERS = 64_000

const noResponse: TrafficResponse = { tookMs: 0, status: 0, reply: '', replyOpened: '', fault: '' }

export type TrafficLog = ReturnType<typeof createTrafficLog>

/**
 * `start` is the first id and the first revision. After a restart it must be larger than all previous ids, because
 * pages stay open during the restart.
 */
export function createTrafficLog(start = 0) {
  const watchers = new Set<() => void>()
  let entries: WireEntry[] = []
  let lastId = start
  let revision = start

  /** Removes the oldest entries above the limits. */
  function removeOldest(): void {
    let first = Math.max(0, entries.length - MAX_ENTRIES)
    let characters = entries.slice(first).reduce((sum, entry) => sum + sizeOf(entry), 0)
    for (; characters > MAX_CHARACTERS; first += 1) characters -= sizeOf(entries[first] as WireEntry)
    entries = entries.slice(first)
  }

  function put(entry: WireEntry): void {
    revision += 1
    entry.revision = revision
    for (const watcher of watchers) watcher()
  }

  function begin(request: TrafficRequest): (response: TrafficResponse) => void {
    lastId += 1
    const entry: WireEntry = { ...truncate(request), ...noResponse, id: lastId, revision: 0, isPending: true }
    entries.push(entry)
    removeOldest()
    put(entry)
    return (response) => {
      Object.assign(entry, truncate(response), { isPending: false })
      removeOldest()
      put(entry)
    }
  }

  return {
    /** Adds an entry for a request that has started. The returned function completes the entry. */
    begin,
    add: (entry: TrafficRequest & TrafficResponse): void => begin(entry)(entry),
    /**
     * Returns the entries that were added or completed after this revision. If this log has not reached the revision,
     * returns all entries.
     */
    since: (known: number): WireEntry[] => entries.filter((entry) => known > revision || entry.revision > known),
    /** Returns a function that removes the listener. */
    watch(watcher: () => void): () => void {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}

const sizeOf = ({ url, raw, opened, reply, replyOpened }: WireEntry) =>
  url.length + raw.length + opened.length + reply.length + replyOpened.length

function truncate<T extends Partial<TrafficRequest & TrafficResponse>>(part: T): T {
  const entries = Object.entries(part).map(([name, value]) =>
    typeof value === 'string' && value.length > MAX_FIELD_CHARACTERS
      ? [name, `${value.slice(0, MAX_FIELD_CHARACTERS)}…`]
      : [name, value],
  )
  return Object.fromEntries(entries) as T
}
