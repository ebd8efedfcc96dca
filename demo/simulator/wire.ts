/** What passed between WeChat and the bind server, as bytes and opened; the newest last. */
export type WireEntry = {
  id: number
  /** `api`: a call of WeChat's API. `callback`: a delivery to the callback URL, one entry for each try. `check`: the GET of the console. */
  kind: 'api' | 'callback' | 'check'
  /** As WeChat sees it. */
  direction: 'in' | 'out'
  /** Epoch ms of the request, and how long the answer took. */
  at: number
  tookMs: number
  title: string
  method: string
  url: string
  /** The request's body, as sent; `opened`: decrypted, where that differs. */
  raw: string
  opened: string
  /** HTTP status of the answer; 0 when there was none. */
  status: number
  reply: string
  replyOpened: string
  /** Why it failed, in words; empty when it did not. */
  fault: string
}

// Enough to look back on an afternoon; older ones are let go.
const LIMIT = 500

export type Wire = ReturnType<typeof createWire>

export function createWire() {
  const entries: WireEntry[] = []
  let lastId = 0
  return {
    add(entry: Omit<WireEntry, 'id'>): void {
      lastId += 1
      entries.push({ id: lastId, ...entry })
      if (entries.length > LIMIT) entries.shift()
    },
    /** The entries after the one with this id. */
    since: (id: number): WireEntry[] => entries.filter((entry) => entry.id > id),
    lastId: () => lastId,
  }
}
