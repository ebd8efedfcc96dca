/** The details of one entry of the traffic log: the request and the response, both as sent and decrypted. */
import { html, nothing, type TemplateResult } from 'lit'
import type { WireEntry } from '../../simulator/traffic-log.ts'
import type { Actions } from '../app.ts'
import { toCurl } from '../curl.ts'
import { translateFault } from '../fault-translations.ts'
import type { Messages } from '../messages.ts'
import type { Language } from '../settings.ts'

export function wireEntryView(
  entry: WireEntry,
  copied: string | undefined,
  lang: Language,
  actions: Actions,
  t: Messages,
): TemplateResult {
  const { id, kind, method, url, headers, raw, opened, status, reply, replyOpened, fault, isPending } = entry
  if (kind === 'event') return html`<div class="entry-body">${blockView(t.detail, raw)}</div>`
  const head = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\n')
  const copy = `curl ${id}`
  return html`<div class="entry-body">
    <button
      type="button"
      class="quiet"
      data-testid="copy-curl"
      @click=${() => actions.copy(toCurl(entry), copy)}
    >
      ${copied === copy ? t.copied : t.copyCurl}
    </button>
    ${status === 499 ? html`<p>${t.abortedHint}</p>` : nothing}
    ${fault ? html`<p class="entry-fault">${translateFault(fault, lang)}</p>` : nothing} ${blockView(t.request, head)}
    ${raw ? blockView(`${t.body}, ${sizeOf(raw)}`, raw) : nothing} ${opened ? blockView(t.opened, opened) : nothing}
    ${isPending ? nothing : blockView(`${t.answer} ${status || '–'}, ${sizeOf(reply)}`, reply)}
    ${replyOpened ? blockView(t.answerOpened, replyOpened) : nothing}
  </div>`
}

const blockView = (title: string, text: string) =>
  html`<h3>${title}</h3>${text ? html`<pre tabindex="0">${text}</pre>` : nothing}`

const encoder = new TextEncoder()

const sizeOf = (text: string) => `${encoder.encode(text).length} B`

/** The time of day in the browser's time zone, with milliseconds. */
export function toTime(at: number): string {
  const time = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const seconds = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  return `${seconds}.${String(time.getMilliseconds()).padStart(3, '0')}`
}
