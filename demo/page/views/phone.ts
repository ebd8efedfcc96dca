/** The simulated phone: choice of the person, scan button and current screen. */
import { html, nothing, type TemplateResult } from 'lit'
import type { PhoneView } from '../../simulator/views.ts'
import { people } from '../../users.ts'
import { type Actions, isOnPhone } from '../app.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import type { Person } from '../settings.ts'
import { browserView } from './browser.ts'
import { chatView } from './chat.ts'
import { choiceView } from './choice-buttons.ts'
import { homeView } from './home.ts'
import { icons } from './icons.ts'
import { profileView } from './profile.ts'
import { noticeView, scannerView } from './scanner.ts'
import type { PhoneProps } from './screen.ts'

const names: Record<Person, string> = { amy: 'Amy', bo: 'Bo', cai: 'Cai' }

export function phoneView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { settings, simulator, screens, albums } = state
  const { person, lang, context } = settings
  const screen = screens[person]
  const phone = simulator?.phones.find((one) => one.person === person) ?? emptyPhone(person)
  const props = { phone, accountName: simulator?.account ?? '', lang, album: albums[person], actions, t }
  const choices = people.map((value) => ({
    value,
    content: names[value],
    label: value === 'cai' ? t.caiIsTaken : undefined,
    testId: `person-${value}`,
  }))
  return html`
    <div class="column-head">
      <h2 id="phone-heading" class="caption">${t.phone}</h2>
      ${choiceView(t.phone, choices, person, (value) => actions.set({ person: value as Person }))}
      ${state.isNarrow ? nothing : scanButtonView(actions, t)}
    </div>
    <div class="phone" data-testid="phone" data-screen=${screen.name} ?data-has-page=${isOnPhone(context)}>
      <div class="screen">
        ${isOnPhone(context) ? browserView(state, actions, t) : nothing}
        ${screen.name === 'browser' ? nothing : screenView(screen, props)}
      </div>
      ${isOnPhone(context) ? dockView(screen.name === 'browser', context === 'wechat', actions, t) : nothing}
    </div>
  `
}

export const scanButtonView = (actions: Actions, t: Messages): TemplateResult =>
  html`<button type="button" class="filled" data-testid="scan-button" @click=${actions.scan}>${icons.scan}${t.scan}</button>`

const emptyPhone = (person: Person): PhoneView => ({ person, openid: '', isFollowing: false, chat: [] })

/**
 * The two apps of the phone: the browser and WeChat. The page displays the choice while the host site is open on the
 * phone. If the site is open inside WeChat, both are parts of WeChat.
 */
function dockView(isBrowser: boolean, isWechat: boolean, actions: Actions, t: Messages): TemplateResult {
  const apps = [
    { value: 'home', content: isWechat ? t.chatList : t.chats, testId: 'dock-wechat' },
    { value: 'browser', content: isWechat ? t.hostSite : t.browser, testId: 'dock-browser' },
  ]
  return html`<div class="dock">
    ${choiceView(t.apps, apps, isBrowser ? 'browser' : 'home', (name) => actions.open(name as 'home' | 'browser'))}
  </div>`
}

function screenView(screen: PageState['screens'][Person], props: PhoneProps): TemplateResult | typeof nothing {
  const { t } = props
  switch (screen.name) {
    case 'browser':
      return nothing
    case 'home':
      return homeView(props)
    case 'scanner':
      return scannerView(screen, props)
    case 'follow':
    case 'profile':
      return profileView(props)
    case 'chat':
      return chatView(props)
    case 'expired':
      return noticeView(icons.clock, t.expired, t.expiredHint, props)
    case 'unknown':
      return noticeView(icons.alert, t.unknown, t.unknownHint, props)
    case 'offline':
      return noticeView(icons.alert, t.offline, t.offlineHint, props)
  }
}

/** This text replaces the simulated phone if the demo uses a real WeChat account. */
export function ownPhoneView(t: Messages): TemplateResult {
  return html`
    <div class="column-head"><h2 id="phone-heading" class="caption">${t.phone}</h2></div>
    <div class="elsewhere" data-testid="own-phone">${icons.phone}<p>${t.ownPhone}</p></div>
  `
}
