/** Small views that several pages share: times, choices, and the states of a page without content. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Advice } from '../../server/console/wire.ts'
import type { Failure } from '../console-client.ts'
import { wordsOf } from '../messages.ts'
import type { Loadable } from '../page-state.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

/** A time. The exact time is shown on hover and read by screen readers. */
export function timeView(ms: number, { state, format }: Scope, text = format.time(ms, state.now)): TemplateResult {
  return html`<time datetime=${new Date(ms).toISOString()} title=${format.exact(ms)}>${text}</time>`
}

export const agoView = (ms: number, scope: Scope): TemplateResult =>
  timeView(ms, scope, scope.format.ago(ms, scope.state.now))

type Choice<V extends string> = { value: V; content: unknown; label?: string }

/** A row of buttons for a single choice. */
export function choiceView<V extends string>(
  name: string,
  choices: Choice<V>[],
  selected: V,
  choose: (value: V) => void,
): TemplateResult {
  return html`<div class="choice" role="group" aria-label=${name}>
    ${choices.map(
      ({ value, content, label }) => html`<button
        type="button"
        aria-pressed=${value === selected}
        aria-label=${label ?? nothing}
        title=${label ?? nothing}
        @click=${() => choose(value)}
      >
        ${content}
      </button>`,
    )}
  </div>`
}

/** Describes a failure in the reader's language. */
export function failureText({ code, retryAfter }: Failure, { state, t, format }: Scope): string {
  const texts: Record<string, string> = {
    UNREACHABLE: t.unreachable,
    INVALID_ANSWER: t.invalidAnswer,
    UNAUTHORIZED: t.sessionEnded,
    FORBIDDEN: t.forbidden,
    RATE_LIMITED: retryAfter === undefined ? t.rateLimited : t.waitBefore(format.duration(retryAfter * 1_000)),
    ...(state.route.name === 'user' ? { NOT_FOUND: t.unknownUser } : {}),
    NOT_BOUND: t.notBound,
  }
  return texts[code] ?? t.refused(code)
}

/** What a page shows instead of its content: a placeholder while it loads, a message and a button after a failure. */
export function loadableView<T>(
  loadable: Loadable<T>,
  scope: Scope,
  bones: () => TemplateResult,
  content: (value: T) => unknown,
): unknown {
  const { t, format, actions } = scope
  if (loadable.state === 'loading') {
    return html`<div aria-busy="true"><p class="hidden" role="status">${t.loading}</p>${bones()}</div>`
  }
  if (loadable.state === 'failed') {
    return html`<div class="panel blank failed" role="alert">
      ${icons.wrong}
      <h2>${t.failed}</h2>
      <p title=${loadable.failure.detail}>${failureText(loadable.failure, scope)}</p>
      <button type="button" class="quiet" @click=${() => actions.reload('fresh')}>${t.tryAgain}</button>
    </div>`
  }
  const { value, at, failure } = loadable
  return html`
    ${
      failure
        ? html`<div class="note warn" role="alert">
            ${icons.warn}
            <p title=${failure.detail}>${t.outOfDate(format.clockSeconds(at))}</p>
            <button type="button" class="quiet small" @click=${() => actions.reload('refresh')}>${t.tryAgain}</button>
          </div>`
        : nothing
    }
    ${content(value)}
  `
}

/** A list or chart without entries. */
export const blankView = (icon: TemplateResult, title: string, hint?: string): TemplateResult =>
  html`<div class="blank small-blank">
    ${icon}
    <h2>${title}</h2>
    ${hint === undefined ? nothing : html`<p>${hint}</p>`}
  </div>`

export const bonesView = (rows: number): TemplateResult =>
  html`${Array.from({ length: rows }, () => html`<span class="bone bone-row"></span>`)}`

export const panelBones = (rows = 6): TemplateResult => html`<div class="panel">${bonesView(rows)}</div>`

/** The server's description of a fault, and its fix. */
export function adviceView(advice: Advice | null | undefined, { state }: Scope): TemplateResult | typeof nothing {
  if (!advice) return nothing
  const { lang } = state.preferences
  const of = lang === 'zh-TW' ? 'zh-CN' : nothing
  return html`<div class="advice" lang=${of}>
    <p>${wordsOf(advice, lang)}</p>
    ${advice.fix ? html`<p class="muted">${wordsOf(advice.fix, lang)}</p>` : nothing}
  </div>`
}

/** `reason` in the reader's language. A reason that this version does not know is shown as it is. */
export const reasonText = (reason: string, { t }: Scope): string => t.reasons[reason] ?? reason

export const eventName = (type: string, { t }: Scope): string =>
  t.events[type.replace('binding.', '') as keyof typeof t.events] ?? type
