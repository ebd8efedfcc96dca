/** The playground page: sets every attribute, slot, custom property, part and text of the element, and lists its events. */
import { render } from 'lit'
import { tokenUrlOf } from './host-site-client.ts'
import { fetchListing } from './manifest.ts'
import { playgroundMessages } from './playground-messages.ts'
import type { PlaygroundActions, PlaygroundState } from './playground-state.ts'
import { OUTLINE, parseTag, type Tag, toTagSearch, withEntry } from './playground-tag.ts'
import { scanPage } from './qr-reader.ts'
import { parseSettings, toSearch } from './settings.ts'
import { createPhoneClient } from './simulator-client.ts'
import { playgroundView } from './views/playground.ts'

const LOG_LENGTH = 40

type Card = HTMLElement & { state: string; messages: object; getToken: (() => Promise<string>) | undefined } & Record<
    'start' | 'stop' | 'refresh' | 'unbind' | 'open' | 'close',
    () => void
  > & {
    confirm(code: string): void
  }

const listing = await fetchListing()
const outlines = new CSSStyleSheet()
document.adoptedStyleSheets = [outlines]

const card = document.createElement('wechat-bind') as Card
for (const { name } of listing.events) {
  card.addEventListener(name, (event) => {
    const { detail } = event as CustomEvent
    const at = new Date().toLocaleTimeString('en-GB')
    write({
      events: [{ at, name, detail: detail ? JSON.stringify(detail) : '' }, ...state.events].slice(0, LOG_LENGTH),
    })
  })
}

let state: PlaygroundState = {
  settings: parseSettings(location.search, navigator.languages),
  tag: parseTag(location.search),
  events: [],
  dir: 'ltr',
  isCopied: false,
}

/** The last applied tag. The page changes the element only when the tag changes. */
let appliedTag: Tag | undefined

const phone = () => createPhoneClient(state.settings.person)

const actions: PlaygroundActions = {
  set: (settings) => write({ settings: { ...state.settings, ...settings } }),
  setEntry: (group, name, value) => write({ tag: withEntry(state.tag, group, name, value), isCopied: false }),
  reset: () => write({ tag: parseTag(''), events: [], dir: 'ltr' }),
  setDirection: (dir) => write({ dir }),
  clear: () => write({ events: [] }),
  call: (method) => card[method](),
  confirm: (code) => card.confirm(code),
  async scan() {
    // With `display="button"` the QR code is in a modal dialog. While the dialog is open, the user cannot press
    // anything else on the page.
    if (card.state === 'idle') card.open()
    if (card.state === 'loading') await untilLoaded()
    const scanned = await scanPage('wechat-bind')
    if (scanned?.text !== undefined) await phone().scan({ url: scanned.text, follow: true })
  },
  unfollow: () => phone().unfollow(),
  async copy(code) {
    try {
      await navigator.clipboard.writeText(code)
      write({ isCopied: true })
    } catch {
      // The clipboard needs permission and https. Without them the page selects the code, so that the user can copy it.
      getSelection()?.selectAllChildren(document.querySelector('.code') ?? document.body)
    }
  },
}

/** Resolves when the element has left the state `loading` and has drawn the next state. */
function untilLoaded(): Promise<void> {
  return new Promise((resolve) => {
    card.addEventListener('statechange', () => requestAnimationFrame(() => resolve()), { once: true })
  })
}

function write(change: Partial<PlaygroundState>): void {
  state = { ...state, ...change }
  draw()
}

/** Applies the tag's settings to the element, and removes all other settings. */
function applyTag({ attributes, slots, styles, parts, words, properties }: Tag): void {
  const url = tokenUrlOf(state.settings.user)
  const isFunction = 'getToken' in properties
  card.getToken = isFunction ? async () => (await (await fetch(url)).json()).token : undefined
  const all: Record<string, string> = { ...(isFunction ? {} : { 'token-url': url }), ...attributes }
  for (const { name } of listing.attributes) {
    const value = all[name]
    if (value === undefined) card.removeAttribute(name)
    else if (card.getAttribute(name) !== value) card.setAttribute(name, value)
  }
  const children = Object.entries(slots).map(([slot, text]) =>
    Object.assign(document.createElement('span'), { slot, textContent: text }),
  )
  card.replaceChildren(...children)
  for (const { name } of listing.cssProperties) {
    const value = styles[name]
    if (value) card.style.setProperty(name, value)
    else card.style.removeProperty(name)
  }
  outlines.replaceSync(
    Object.keys(parts)
      .map((name) => `wechat-bind::part(${name}) { ${OUTLINE} }`)
      .join('\n'),
  )
  card.messages = words
}

function draw(): void {
  const { lang, theme } = state.settings
  document.documentElement.lang = lang
  document.documentElement.dataset.theme = theme
  document.title = `wechat-bind: ${playgroundMessages[lang].title}`
  history.replaceState(null, '', toTagSearch(state.tag, toSearch(state.settings, location.search)))
  if (appliedTag !== state.tag) applyTag(state.tag)
  appliedTag = state.tag
  render(playgroundView(state, listing, card, actions, playgroundMessages[lang]), document.body)
}

draw()
