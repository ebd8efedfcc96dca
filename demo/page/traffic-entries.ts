/** The wire as the page keeps it: what the demo tells of, and what the element says in the page itself. */
import type { WireEntry, WireKind } from '../simulator/traffic-log.ts'

// As many as the demo keeps.
const MOST = 500

/** With newer states of entries that are known, and new ones; the newest last. */
export function merge(known: readonly WireEntry[], news: readonly WireEntry[]): WireEntry[] {
  const byId = new Map(known.map((entry) => [entry.id, entry]))
  for (const entry of news) byId.set(entry.id, entry)
  return [...byId.values()].sort((one, other) => one.at - other.at || one.id - other.id).slice(-MOST)
}

/** With nothing left on its way: the demo that should have told of its end is gone. */
export const giveUp = (entries: readonly WireEntry[]): WireEntry[] =>
  entries.map((entry) => (entry.isPending ? { ...entry, isPending: false, fault: 'no answer' } : entry))

/** Those of these kinds (none: all) in whose text each word occurs, in any case. */
export function search(entries: readonly WireEntry[], kinds: readonly WireKind[], q: string): WireEntry[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter((entry) => {
    if (kinds.length > 0 && !kinds.includes(entry.kind)) return false
    const text = words.length > 0 ? Object.values(entry).join('\n').toLowerCase() : ''
    return words.every((word) => text.includes(word))
  })
}

const EVENTS = ['statechange', 'bound', 'unbound', 'scanned', 'expired', 'binderror']

let told = 0

/** Calls back with each event of an element in this page. Their ids count down, out of the way of the demo's. */
export function watchEvents(onEvent: (entry: WireEntry) => void): void {
  for (const type of EVENTS) document.addEventListener(type, (event) => onEvent(toEntry(event as CustomEvent)))
}

function toEntry({ type, detail }: CustomEvent): WireEntry {
  told += 1
  const change = type === 'statechange' ? ` ${detail.previous} → ${detail.state}` : ''
  return {
    id: -told,
    revision: 0,
    isPending: false,
    kind: 'event',
    at: Date.now(),
    title: `${type}${change}`,
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
