/** The actions of the phone. The page receives their results through the simulator's event stream. */
import type { Screen, Store } from './page-state.ts'
import { decodeImage, scanPage } from './qr-reader.ts'
import type { Person } from './settings.ts'
import { createPhoneClient, type PhoneClient } from './simulator-client.ts'

export type PhoneActions = ReturnType<typeof createPhoneActions>

// The camera makes 8 attempts in 2 s. After that, the phone displays that it has found no QR code.
const ATTEMPTS = 8
const ATTEMPT_EVERY_MS = 250

// If the person stays on the follow page for this time, WeChat sends the follow without the scene of the QR code.
const SCENE_LOST_MS = 300_000

export function createPhoneActions({ read, write }: Store) {
  /** Stops the running camera. */
  let camera = new AbortController()

  const show = (person: Person, screen: Screen) => write({ screens: { ...read().screens, [person]: screen } })

  /** Runs an action of the person. Displays the screen `offline` when the simulator does not answer. */
  async function perform(run: (phone: PhoneClient, person: Person) => Promise<void>): Promise<void> {
    const { person } = read().settings
    camera.abort()
    await run(createPhoneClient(person), person).catch(() => show(person, { name: 'offline' }))
  }

  async function scan(phone: PhoneClient, person: Person, url: string): Promise<void> {
    const { screen } = await phone.scan({ url })
    show(person, { name: screen })
  }

  async function runCamera(phone: PhoneClient, person: Person, signal: AbortSignal): Promise<void> {
    let view: HTMLCanvasElement | undefined
    for (let count = 0; count < ATTEMPTS; count += 1) {
      const scanned = await scanPage('wechat-bind')
      if (signal.aborted) return
      view = scanned?.view
      show(person, { name: 'scanner', found: 'looking', view })
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_EVERY_MS))
      if (signal.aborted) return
      if (scanned?.text !== undefined) return scan(phone, person, scanned.text)
    }
    show(person, { name: 'scanner', found: 'nothing', view })
  }

  /** Scans the QR code in a saved or pressed picture, without the camera. */
  const scanPicture = (picture: HTMLImageElement | undefined) =>
    perform(async (phone, person) => {
      write({ pressed: undefined })
      const url = picture && (await decodeImage(picture))
      if (url === undefined) show(person, { name: 'scanner', found: 'nothing' })
      else await scan(phone, person, url)
    })

  return {
    open(name: 'home' | 'chat' | 'profile' | 'browser'): void {
      camera.abort()
      show(read().settings.person, { name })
    },
    scan: () =>
      perform((phone, person) => {
        camera = new AbortController()
        write({ part: 'phone' })
        show(person, { name: 'scanner', found: 'looking' })
        return runCamera(phone, person, camera.signal)
      }),
    scanPressed: () => scanPicture(read().pressed),
    scanAlbum: () => scanPicture(read().albums[read().settings.person]),
    press: (picture: HTMLImageElement | undefined) => write({ pressed: picture }),
    /** Saves a picture to the phone's album. */
    save(href: string): void {
      const picture = new Image()
      picture.src = href
      const { albums, settings } = read()
      write({ albums: { ...albums, [settings.person]: picture }, pressed: undefined })
    },
    follow: () =>
      perform(async (phone, person) => {
        await phone.follow({ lingeredMs: read().settings.follow === 'slow' ? SCENE_LOST_MS : 0 })
        show(person, { name: 'chat' })
      }),
    unfollow: () =>
      perform(async (phone, person) => {
        await phone.unfollow()
        show(person, { name: 'home' })
      }),
    sendText: (content: string) => perform((phone) => phone.sendText(content)),
    tap: (href: string) => perform((phone) => phone.tap(href)),
  }
}
