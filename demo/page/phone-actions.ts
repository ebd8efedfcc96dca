/** What a person does with the phone. What comes of it is told by the simulator. */

import type { Screen, Store } from './page-state.ts'
import { readPicture, shoot } from './qr-reader.ts'
import type { Person } from './settings.ts'
import { createPhoneClient, type PhoneClient } from './simulator-client.ts'

export type PhoneActions = ReturnType<typeof createPhoneActions>

// A camera needs a moment, and a hand a little longer: 8 looks, then the person is told that there is nothing.
const LOOKS = 8
const LOOK_EVERY_MS = 250

// WeChat loses the scene of who stays on the follow page for so long.
const LINGERED_MS = 300_000

export function createPhoneActions({ read, write }: Store) {
  /** Ends the look through the camera that is under way. */
  let looking = new AbortController()

  const show = (person: Person, screen: Screen) => write({ screens: { ...read().screens, [person]: screen } })

  /** What a person did with the phone; one that cannot reach the simulator says so. */
  async function gesture(run: (phone: PhoneClient, person: Person) => Promise<void>): Promise<void> {
    const { person } = read().settings
    looking.abort()
    await run(createPhoneClient(person), person).catch(() => show(person, { name: 'offline' }))
  }

  async function scan(phone: PhoneClient, person: Person, url: string): Promise<void> {
    const { screen } = await phone.scan({ url })
    show(person, { name: screen })
  }

  async function look(phone: PhoneClient, person: Person, signal: AbortSignal): Promise<void> {
    let view: HTMLCanvasElement | undefined
    for (let count = 0; count < LOOKS; count += 1) {
      const shot = await shoot('wechat-bind')
      if (signal.aborted) return
      view = shot?.view
      show(person, { name: 'scanner', found: 'looking', view })
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      if (signal.aborted) return
      if (shot?.text !== undefined) return scan(phone, person, shot.text)
    }
    show(person, { name: 'scanner', found: 'nothing', view })
  }

  /** A picture instead of the camera: scanned when it holds a code. */
  const scanPicture = (picture: HTMLImageElement | undefined) =>
    gesture(async (phone, person) => {
      write({ pressed: undefined })
      const url = picture && (await readPicture(picture))
      if (url === undefined) show(person, { name: 'scanner', found: 'nothing' })
      else await scan(phone, person, url)
    })

  return {
    open(name: 'home' | 'chat' | 'profile' | 'browser'): void {
      looking.abort()
      show(read().settings.person, { name })
    },
    scan: () =>
      gesture((phone, person) => {
        looking = new AbortController()
        show(person, { name: 'scanner', found: 'looking' })
        return look(phone, person, looking.signal)
      }),
    scanPressed: () => scanPicture(read().pressed),
    scanAlbum: () => scanPicture(read().albums[read().settings.person]),
    press: (picture: HTMLImageElement | undefined) => write({ pressed: picture }),
    /** Into the phone's album, where the scanner finds it. */
    save(href: string): void {
      const picture = new Image()
      picture.src = href
      const { albums, settings } = read()
      write({ albums: { ...albums, [settings.person]: picture }, pressed: undefined })
    },
    follow: () =>
      gesture(async (phone, person) => {
        await phone.follow({ lingeredMs: read().settings.follow === 'slow' ? LINGERED_MS : 0 })
        show(person, { name: 'chat' })
      }),
    unfollow: () =>
      gesture(async (phone, person) => {
        await phone.unfollow()
        show(person, { name: 'home' })
      }),
    sendText: (content: string) => gesture((phone) => phone.sendText(content)),
    tap: (href: string) => gesture((phone) => phone.tap(href)),
  }
}
