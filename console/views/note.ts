/** Shows the result of the last action. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Note } from '../page-state.ts'
import { adviceView } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'
import { failureOf } from './webhook-status.ts'

export function noteView(scope: Scope): TemplateResult | typeof nothing {
  const { state, actions, t } = scope
  const { note } = state
  if (!note) return nothing
  const isWrong = note.name === 'tested' && !note.outcome.accepted
  return html`<div class="note ${isWrong ? 'wrong' : 'ok'}">
    ${isWrong ? icons.wrong : icons.ok}
    <div class="said-all">
      <p>${noteText(note, scope)}</p>
      ${note.name === 'tested' ? adviceView(note.outcome.advice, scope) : nothing}
    </div>
    <button type="button" class="bare" aria-label=${t.close} @click=${actions.dismissNote}>${icons.close}</button>
  </div>`
}

function noteText(note: Note, scope: Scope): string {
  const { t, format } = scope
  switch (note.name) {
    case 'replayed':
    case 'retried':
      return t.notes[note.name](format.count(note.count))
    case 'enabled':
      return t.notes.enabled(note.receiver)
    case 'tested': {
      const { accepted, failure, ms } = note.outcome
      return accepted
        ? t.notes.tested(note.receiver, format.duration(ms))
        : t.notes.testFailed(note.receiver, failureOf(failure, scope))
    }
    default:
      return t.notes[note.name](note.user.userId)
  }
}
