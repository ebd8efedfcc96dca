/** The phone: whose it is, the camera, and the screen it shows. */
import { html, type TemplateResult } from 'lit'
import type { PhoneView } from '../../simulator/control.ts'
import type { Actions, PageState, Screen } from '../app.ts'
import type { Messages } from '../messages.ts'
import { type Person, people } from '../settings.ts'
import { chatView } from './chat.ts'
import { choiceView } from './choice.ts'
import { homeView } from './home.ts'
import { icons } from './icons.ts'
import { profileView } from './profile.ts'
import { noticeView, scannerView } from './scanner.ts'
import type { PhoneProps } from './screen.ts'

const names: Record<Person, string> = { amy: 'Amy', bo: 'Bo' }

export function phoneView({ settings, simulator, screens }: PageState, actions: Actions, t: Messages): TemplateResult {
  const { person, lang } = settings
  const phone = simulator?.phones.find((one) => one.person === person) ?? nobody(person)
  const props = { phone, accountName: simulator?.account ?? '', lang, actions, t }
  const choices = people.map((value) => ({ value, content: names[value], testId: `person-${value}` }))
  return html`
    <div class="column-head">
      <h2 id="phone-heading" class="caption">${t.phone}</h2>
      ${choiceView(t.phone, choices, person, (value) => actions.set({ person: value as Person }))}
      <button type="button" class="filled" data-testid="scan-button" @click=${actions.scan}>${icons.scan}${t.scan}</button>
    </div>
    <div class="phone" data-testid="phone" data-screen=${screens[person].name}>
      <div class="screen">${screenView(screens[person], props)}</div>
    </div>
  `
}

const nobody = (person: Person): PhoneView => ({ person, openid: '', isFollowing: false, chat: [] })

function screenView(screen: Screen, props: PhoneProps): TemplateResult {
  const { t } = props
  switch (screen.name) {
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
