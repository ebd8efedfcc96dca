/** What passed by, as bytes and opened; the newest last. An entry begins when the request does, so that what hangs shows too. */

/**
 * `wechat`: a call of WeChat's API. `callback`: a delivery to the callback URL, one entry for each try. `check`: the GET of
 * the console. The others are for who shares the wire: `browser` (a page's call), `api` (a sealed one), `webhook`, `event`.
 */
export type WireKind = 'browser' | 'api' | 'callback' | 'check' | 'wechat' | 'webhook' | 'event'

export type Asked = {
  kind: WireKind
  /** Epoch ms of the request. */
  at: number
  title: string
  method: string
  url: string
  headers: Record<string, string>
  /** The request's body, as sent; `opened`: decrypted, where that differs. */
  raw: string
  opened: string
}

type Answered = {
  tookMs: number
  /** HTTP status of the answer; 0 when there was none. */
  status: number
  reply: string
  replyOpened: string
  /** Why it failed, in words; empty when it did not. */
  fault: string
}

export type WireEntry = Asked &
  Answered & {
    id: number
    /** Grows with each change of any entry: who knows one asks for what came after it. */
    revision: number
    isPending: boolean
  }

// Enough to look back on an afternoon, and never more than a few MB; older ones are let go.
const MOST_ENTRIES = 500
const MOST_CHARACTERS = 4_000_000
const MOST_OF_ONE = 64_000

const unanswered: Answered = { tookMs: 0, status: 0, reply: '', replyOpened: '', fault: '' }

export type Wire = ReturnType<typeof createWire>

/** `start`: ids and revisions count on from it. Who reads on after a restart needs one that is larger than any before. */
export function createWire(start = 0) {
  const watchers = new Set<() => void>()
  let entries: WireEntry[] = []
  let lastId = start
  let revision = start

  /** Keeps the newest that fit. */
  function letGo(): void {
    let first = Math.max(0, entries.length - MOST_ENTRIES)
    let characters = entries.slice(first).reduce((sum, entry) => sum + sizeOf(entry), 0)
    for (; characters > MOST_CHARACTERS; first += 1) characters -= sizeOf(entries[first] as WireEntry)
    entries = entries.slice(first)
  }

  function put(entry: WireEntry): void {
    revision += 1
    entry.revision = revision
    for (const watcher of watchers) watcher()
  }

  function begin(asked: Asked): (answered: Answered) => void {
    lastId += 1
    const entry: WireEntry = { ...cut(asked), ...unanswered, id: lastId, revision: 0, isPending: true }
    entries.push(entry)
    letGo()
    put(entry)
    return (answered) => {
      Object.assign(entry, cut(answered), { isPending: false })
      letGo()
      put(entry)
    }
  }

  return {
    /** A request that has begun; the function that is returned ends it. */
    begin,
    add: (entry: Asked & Answered): void => begin(entry)(entry),
    /** The entries that began or ended after this revision; all, for one that another wire must have told. */
    since: (known: number): WireEntry[] => entries.filter((entry) => known > revision || entry.revision > known),
    /** Returns the function that ends the watch. */
    watch(watcher: () => void): () => void {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}

const sizeOf = ({ url, raw, opened, reply, replyOpened }: WireEntry) =>
  url.length + raw.length + opened.length + reply.length + replyOpened.length

function cut<T extends Partial<Asked & Answered>>(part: T): T {
  const entries = Object.entries(part).map(([name, value]) =>
    typeof value === 'string' && value.length > MOST_OF_ONE ? [name, `${value.slice(0, MOST_OF_ONE)}…`] : [name, value],
  )
  return Object.fromEntries(entries) as T
}
