/** The panel of the state `ready`: the QR code, the button inside WeChat, or a text to copy. */
import { html } from 'lit'
import { copyText } from './clipboard.ts'
import { icon } from './icons.ts'
import type { Messages } from './messages.ts'
import { button, nameOf, type Panel, problem, qrCode, type View } from './panel.ts'
import { qrPng } from './qr.ts'
import type { Ready } from './state.ts'

export function readyPanel(view: View, state: Ready): Panel {
  const { opened } = view
  if (opened === 'text' || opened === 'link') return copyPanel(view, state, opened)
  return hasTap(view, state) && !opened ? tapPanel(view, state) : qrPanel(view, state)
}

const hasTap = ({ device }: View, { ticket }: Ready) => device === 'wechat' && ticket.oauth

const tapButton = (view: View, { isLeaving }: Ready, label: keyof Messages, look: string) =>
  button(view, label, look, view.host.authorize, isLeaving)

/** Inside WeChat, users cannot scan the screen of their own phone. */
function tapPanel(view: View, state: Ready): Panel {
  return {
    picture: [icon('phone'), tapButton(view, state, 'tap', 'primary')],
    status: view.translate('oneTap'),
    ...problem(view, state.failure),
    actions: button(view, 'qr', 'quiet', () => view.host.show('qr')),
  }
}

function qrPanel(view: View, state: Ready): Panel {
  const { translate, device, notice, host } = view
  const { qr } = state.ticket
  const line = notice && (notice === 'conflict' ? 'conflict' : 'expiredScan')
  const actions: unknown[] = [button(view, 'cannotScan', 'quiet', () => host.show('text'))]
  if (hasTap(view, state)) actions.unshift(tapButton(view, state, 'title', 'quiet'))
  if (device === 'mobile') {
    actions.unshift(html`<a part="action" download="wechat.png" href=${qrPng(qr)}>${translate('savePicture')}</a>`)
  }
  return { ...qrCode(view, qr), ...lineOrTimer(view, line), isProblem: !!line, actions }
}

/** The text to send to the Official Account, or the link to open in WeChat. */
function copyPanel(view: View, state: Ready, opened: 'text' | 'link'): Panel {
  const { translate, host, isCopied, device, language } = view
  const { account, code, oauth } = state.ticket
  const isLink = opened === 'link'
  // The server accepts the word in each of these languages.
  const text = isLink ? location.href : `${{ en: 'bind', 'zh-CN': '绑定', 'zh-TW': '綁定' }[language]} ${code}`
  const copy = button(view, 'copy', 'primary', async ({ currentTarget }) => {
    const element = (currentTarget as Element).previousElementSibling
    if (element && (await copyText(element))) host.show(opened, true)
  })
  const find = !isLink && account ? html`<p class="hint">${translate('find', account)}</p>` : ''
  const canOpen = !isLink && device === 'mobile' && oauth
  const actions = [
    button(view, canOpen ? 'qr' : 'showQr', 'quiet', () => host.show(hasTap(view, state) ? 'qr' : undefined)),
  ]
  if (canOpen) actions.push(button(view, 'openIn', 'quiet', () => host.show('link')))
  return {
    picture: html`<code class=${opened} part="code">${text}</code>${copy}${find}`,
    status: isLink ? translate('openIn') : translate('send', nameOf(view, account)),
    // This text is in the live region, because screen readers do not announce the changed label of a button.
    ...lineOrTimer(view, isCopied ? 'copied' : isLink && 'openHow'),
    actions,
  }
}

/** A hint is displayed in place of the timer, so that the card does not grow. */
function lineOrTimer(view: View, line: keyof Messages | false | undefined): Pick<Panel, 'hint' | 'timer'> {
  return line ? { hint: view.translate(line) } : { timer: timeLeftText(view) }
}

/** The timer is outside the live region, so that screen readers do not announce it every second. */
function timeLeftText({ translate, secondsLeft }: View): string | undefined {
  if (secondsLeft > 3600) return undefined
  const time = `${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}`
  return translate('expiresIn', time)
}
