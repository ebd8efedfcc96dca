/** The account's profile on the phone: the follow page after a scan, and the page with the unfollow button. */
import { html, type TemplateResult } from 'lit'
import { accountAvatar, backButton, navView, type PhoneProps } from './screen.ts'

export function profileView(props: PhoneProps): TemplateResult {
  const { phone, accountName, actions, t } = props
  const follow = html`<button type="button" class="filled wide" data-testid="follow-button" @click=${actions.follow}>
    ${t.follow}
  </button>`
  const unfollow = html`<button type="button" class="leave wide" data-testid="unfollow-button" @click=${actions.unfollow}>
    ${t.unfollow}
  </button>`
  return html`
    ${navView('', backButton(props, phone.isFollowing ? 'chat' : 'home'))}
    <div class="screen-body profile">
      <div class="profile-card">
        ${accountAvatar}
        <h3>${accountName}</h3>
        <p class="tag">${t.serviceAccount}</p>
        <p>${t.accountLead}</p>
      </div>
      ${phone.isFollowing ? unfollow : follow}
    </div>
  `
}
