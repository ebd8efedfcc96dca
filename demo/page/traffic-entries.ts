/** The page's copy of the traffic log: the demo's entries and the element's DOM events. */
import type { WireEntry, WireKind } from '../simulator/traffic-log.ts'

// The maximum number of entries. The demo's own log has the same limit.
const MAX_ENTRIES = 500

/** Replaces changed entries and adds new entries. The newest entry is the last one. */
export function merge(known: readonly WireEntry[], changes: readonly WireEntry[]): WireEntry[] {
  const byId = new Map(known.map((entry) => [entry.id, entry]))
  for (const entry of changes) byId.set(entry.id, entry)
  return [...byId.values()].sort((one, other) => one.at - other.at || one.id - other.id).slice(-MAX_ENTRIES)
}

/** Marks all pending entries as failed. The page calls this function when the connection to the demo is lost. */
export const failPending = (entries: readonly WireEntry[]): WireEntry[] =>
  entries.map((entry) => (entry.isPending ? { ...entry, isPending: false, fault: 'no answer' } : entry))

/**
 * Filters by kind and by words. If no kind is selected, all kinds match. Every word must occur in the entry; upper and
 * lower case are equal.
 */
export function search(entries: readonly WireEntry[], kinds: readonly WireKind[], q: string): WireEntry[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter((entry) => {
    if (kinds.length > 0 && !kinds.includes(entry.kind)) return false
    const text = words.length > 0 ? Object.values(entry).join('\n').toLowerCase() : ''
    return words.every((word) => text.includes(word))
  })
}

const EVENTS = ['statechange', 'bound', 'unbound', 'scanned', 'expired', 'binderror']

let eventCount = 0

/**
 * Calls `onEvent` for each event of the element. These entries have negative ids, so that they cannot equal the ids of
 * the demo's entries.
 */
export function watchEvents(onEvent: (entry: WireEntry) => void): void {
  for (const type of EVENTS) document.addEventListener(type, (event) => onEvent(toEntry(event as CustomEvent)))
}

/** Returns the content of the event, for its line in the log. */
function outcomeOf(type: string, detail: Record<string, unknown>): unknown {
  if (type === 'statechange') return `${detail.previous} → ${detail.state}`
  if (type === 'bound') return detail.initial ? '(initial)' : ''
  return detail.code ?? detail.reason
}

function toEntry({ type, detail }: CustomEvent): WireEntry {
  eventCount += 1
  return {
    id: -eventCount,
    revision: 0,
    isPending: false,
    kind: 'event',
    at: Date.now(),
    title: [type, outcomeOf(type, detail ?? {})].filter(Boolean).join(' '),
    method: '',
    url: location.href,
    headers: {},
    raw: JSON.stringify({ type, detail }, null, 2),
    opened: '',
    tookMs: 0,
    status: 0,
    reply: '',
    replyOpened: '',
    fault: type === 'binderror' ? detail.code : '',
  }
}
