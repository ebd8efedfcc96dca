/** The phone's chat with the account. */
import { html, nothing, type TemplateResult } from 'lit'
import type { ChatMessageView } from '../../simulator/views.ts'
import type { Language } from '../settings.ts'
import { icons } from './icons.ts'
import { accountAvatar, backButton, navView, type PhoneProps } from './screen.ts'
import { scrollToEnd } from './scroll-to-end.ts'

// WeChat displays the time above a message after 5 minutes without messages.
const SILENCE_MS = 300_000

export function chatView(props: PhoneProps): TemplateResult {
  const { phone, accountName, actions, t } = props
  const about = html`<button
    type="button"
    class="bare"
    aria-label=${t.account}
    data-testid="account-button"
    @click=${() => actions.open('profile')}
  >
    ${icons.person}
  </button>`
  return html`
    ${navView(accountName, backButton(props, 'home'), about)}
    <div class="screen-body chat" data-testid="chat" role="log" ${scrollToEnd(phone.chat.at(-1)?.id)}>
      ${phone.chat.map((message, index) => messageView(message, phone.chat[index - 1], props))}
    </div>
    <form class="composer" @submit=${(event: SubmitEvent) => submit(event, actions.sendText)}>
      <input name="content" maxlength="600" autocomplete="off" aria-label=${t.message} data-testid="chat-input" />
      <button type="submit" class="filled" data-testid="send-button">${t.send}</button>
    </form>
  `
}

function messageView(
  message: ChatMessageView,
  previous: ChatMessageView | undefined,
  props: PhoneProps,
): TemplateResult {
  const { lang, t } = props
  const isLater = !previous || message.at - previous.at > SILENCE_MS
  return html`
    ${isLater ? html`<p class="line">${toClock(message.at, lang)}</p>` : nothing}
    ${message.from === 'wechat' ? html`<p class="line" data-testid="chat-notice">${t.fault}</p>` : bubble(message, props)}
  `
}

function bubble({ from, parts }: ChatMessageView, { phone, actions }: PhoneProps): TemplateResult {
  const avatar =
    from === 'account' ? accountAvatar : html`<span class="avatar person" aria-hidden="true">${phone.person[0]}</span>`
  const pieces = parts.map(({ text, href }) =>
    href ? html`<button type="button" class="link" @click=${() => actions.tap(href)}>${text}</button>` : text,
  )
  return html`<div class="message ${from}" data-testid="chat-message">${avatar}<p class="bubble">${pieces}</p></div>`
}

function submit(event: SubmitEvent, send: (content: string) => void): void {
  event.preventDefault()
  const form = event.target as HTMLFormElement
  const content = String(new FormData(form).get('content')).trim()
  if (content !== '') send(content)
  form.reset()
}

/** Hours and minutes in the format of the language. */
export const toClock = (at: number, lang: Language) =>
  new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hour12: false }).format(at)
