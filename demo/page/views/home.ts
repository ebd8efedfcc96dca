/** The phone's list of chats: the account's chat, if the person follows the account. */
import { html, type TemplateResult } from 'lit'
import type { Messages } from '../messages.ts'
import { toClock } from './chat.ts'
import { icons } from './icons.ts'
import { accountAvatar, navView, type PhoneProps } from './screen.ts'

export function homeView(props: PhoneProps): TemplateResult {
  const { phone, t } = props
  return html`
    ${navView(t.chats)}
    <div class="screen-body">${phone.isFollowing ? chatCell(props) : emptyList(t)}</div>
    <div class="tabs" aria-hidden="true">
      <span class="active">${icons.chat}${t.chats}</span>
      <span>${icons.people}${t.contacts}</span>
      <span>${icons.compass}${t.discover}</span>
      <span>${icons.person}${t.me}</span>
    </div>
  `
}

function emptyList(t: Messages): TemplateResult {
  return html`<div class="empty"><p>${t.noChats}</p><p class="hint">${t.noChatsHint}</p></div>`
}

function chatCell({ phone, accountName, lang, actions, t }: PhoneProps): TemplateResult {
  const last = phone.chat.at(-1)
  const text = last?.from === 'wechat' ? t.fault : (last?.parts.map((part) => part.text).join('') ?? '')
  return html`
    <button type="button" class="cell" data-testid="chat-cell" @click=${() => actions.open('chat')}>
      ${accountAvatar}
      <span class="cell-text"><span>${accountName}</span><small>${text}</small></span>
      <small>${last ? toClock(last.at, lang) : ''}</small>
    </button>
  `
}
