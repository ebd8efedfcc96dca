/** The traffic log: requests between the page, the bind server, WeChat and the host site's back end. */
import { html, nothing, type TemplateResult } from 'lit'
import { guard } from 'lit/directives/guard.js'
import { repeat } from 'lit/directives/repeat.js'
import type { WireEntry, WireKind } from '../../simulator/traffic-log.ts'
import type { Actions } from '../app.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { wireKinds } from '../settings.ts'
import { search } from '../traffic-entries.ts'
import { icons } from './icons.ts'
import { toTime, wireEntryView } from './traffic-entry.ts'

const kindWords = {
  browser: 'browser',
  api: 'api',
  callback: 'callback',
  check: 'check',
  wechat: 'wechatApi',
  webhook: 'webhook',
  event: 'event',
} as const satisfies Record<WireKind, keyof Messages>

/**
 * The status that the demo records when the page has aborted a request, because the page was closed or hidden, or
 * needed a newer answer.
 */
const ABORTED = 499

// Without a search, the log displays at most this number of entries. A search also finds older entries.
const MAX_ROWS = 200

export function wireView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { wire, settings, clearedAt, openEntries, copied } = state
  const list = () => {
    const all = search(wire, settings.wire, settings.q)
    const found = all.filter(({ at }) => at >= clearedAt)
    const rows = found.slice(-MAX_ROWS).reverse()
    const earlier = all.length - found.length
    return html`${rows.length === 0 ? html`<p class="wire-empty">${t.wireEmpty}</p>` : nothing}
    ${repeat(
      rows,
      ({ id }) => id,
      (entry) => rowView(entry, state, actions, t),
    )}
    ${earlier > 0 ? earlierView(earlier, actions, t) : nothing}`
  }
  return html`
    <div class="column-head">
      <h2 id="wire-heading" class="caption">${t.wire}</h2>
      <button type="button" class="quiet" data-testid="wire-clear" @click=${actions.clearWire}>${t.clear}</button>
    </div>
    <div class="wire">
      <div class="wire-tools">
        <input
          type="search"
          placeholder=${t.search}
          aria-label=${t.search}
          data-testid="wire-search"
          .value=${settings.q}
          @input=${({ target }: Event) => actions.set({ q: (target as HTMLInputElement).value })}
        />
        <div class="kinds" role="group" aria-label=${t.kinds}>${wireKinds.map((kind) => kindView(kind, state, actions, t))}</div>
      </div>
      <div class="wire-list">
        ${guard([wire, settings, clearedAt, openEntries, copied], list)}
      </div>
    </div>
  `
}

/** The traffic of earlier visits is hidden until the tester asks for it. */
const earlierView = (count: number, actions: Actions, t: Messages) =>
  html`<button type="button" class="earlier" data-testid="wire-earlier" @click=${actions.showEarlierWire}>${t.showEarlier} (${count})</button>`

function kindView(kind: WireKind, { settings }: PageState, actions: Actions, t: Messages): TemplateResult {
  const isOn = settings.wire.includes(kind)
  const wire = isOn ? settings.wire.filter((one) => one !== kind) : [...settings.wire, kind]
  return html`<button
    type="button"
    class="kind"
    aria-pressed=${isOn}
    data-testid=${`kind-${kind}`}
    @click=${() => actions.set({ wire: wireKinds.filter((one) => wire.includes(one)) })}
  >
    ${t[kindWords[kind]]}
  </button>`
}

function rowView(
  entry: WireEntry,
  { openEntries, copied, settings }: PageState,
  actions: Actions,
  t: Messages,
): TemplateResult {
  const { id, kind, at, title, fault, isPending, status, tookMs } = entry
  const isOpen = openEntries.has(id)
  const answered = status === ABORTED ? `${status} ${t.aborted}` : status
  const outcome = isPending ? t.waiting : status ? `${answered} · ${tookMs} ms` : ''
  return html`<details
    class="entry"
    data-testid="wire-entry"
    data-kind=${kind}
    ?data-failed=${fault !== ''}
    .open=${isOpen}
    @toggle=${({ target }: Event) => actions.toggleEntry(id, (target as HTMLDetailsElement).open)}
  >
    <summary>
      <time>${toTime(at)}</time>
      <span class="entry-kind">${t[kindWords[kind]]}</span>
      <span class="entry-title">${title}</span>
      <span class="entry-outcome">${fault ? icons.alert : isPending ? icons.clock : nothing}${outcome}</span>
    </summary>
    ${isOpen ? wireEntryView(entry, copied, settings.lang, actions, t) : nothing}
  </details>`
}
