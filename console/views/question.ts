/** The dialog that asks before an action. */
import { html, nothing, type TemplateResult } from 'lit'
import { ref } from 'lit/directives/ref.js'
import type { OpenQuestion, Question } from '../page-state.ts'
import { failureText } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

/** The dialog stays in the page while it is closed, because only `close()` gives the focus back. */
export function questionView(scope: Scope): TemplateResult {
  const open = scope.state.question
  const onClose = ({ target }: Event) => {
    // The event fires after `close()` has returned, and by then the next question may be open.
    if (!(target as HTMLDialogElement).open) scope.actions.cancel()
  }
  const sync = (element: Element | undefined) => {
    if (element instanceof HTMLDialogElement) setOpen(element, open !== undefined)
  }
  return html`<dialog aria-labelledby="question" aria-describedby="question-text" @close=${onClose}>
    ${open ? formView(open, scope) : nothing}
  </dialog><span hidden ${ref((marker) => sync(marker?.previousElementSibling ?? undefined))}></span>`
}

function formView({ question, isBusy, failure }: OpenQuestion, scope: Scope): TemplateResult {
  const { actions, t } = scope
  const { title, text, confirm } = t.questions[question.name]
  const isDanger = question.name === 'unbind' || question.name === 'erase'
  const submit = (event: Event) => {
    event.preventDefault()
    void actions.confirm()
  }
  return html`<form @submit=${submit}>
    <h2 id="question">${title}</h2>
    <p class="subject">${subjectView(question, scope)}</p>
    <p id="question-text" class="muted">${text}</p>
    <div class="say" role="alert">
      ${
        failure
          ? html`<p class="said wrong" title=${failure.detail}>${icons.wrong}${failureText(failure, scope)}</p>`
          : nothing
      }
    </div>
    <div class="buttons">
      <button type="button" class="quiet" @click=${actions.cancel}>${t.cancel}</button>
      <button class="filled ${isDanger ? 'danger' : ''}" ?disabled=${isBusy}>${confirm}</button>
    </div>
  </form>`
}

/** The user or the receiver that the action concerns. */
function subjectView(question: Question, { t, format }: Scope): unknown {
  if ('user' in question) {
    const { tenant, account, userId } = question.user
    return html`<span class="id">${userId}</span> <span class="muted">${account} · ${tenant}</span>`
  }
  if ('count' in question) return t.noticeCount(question.count, format.count(question.count))
  return html`<b>${question.receiver}</b>`
}

function setOpen(dialog: HTMLDialogElement, isOpen: boolean): void {
  if (dialog.open === isOpen) return
  if (isOpen) {
    dialog.showModal()
    return
  }
  dialog.close()
  // The button that opened the dialog may no longer exist after its action.
  if (document.activeElement === document.body) document.getElementById('content')?.focus()
}
