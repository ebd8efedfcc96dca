/** The state of the QA page, and the store that its actions use. */
import type { DemoView } from '../demo-api.ts'
import type { WireEntry } from '../simulator/traffic-log.ts'
import type { SimulatorView } from '../simulator/views.ts'
import type { BackEndView } from './host-site-client.ts'
import type { Person, Settings } from './settings.ts'

/** The screen of a phone. `view` is the last picture of the camera. */
export type Screen =
  | { name: 'home' | 'follow' | 'chat' | 'profile' | 'expired' | 'unknown' | 'offline' | 'browser' }
  | { name: 'scanner'; found: 'looking' | 'nothing'; view?: HTMLCanvasElement | undefined }

export const pageParts = ['site', 'phone', 'backEnd', 'traffic'] as const
export type PagePart = (typeof pageParts)[number]

export type PageState = {
  settings: Settings
  demo: DemoView
  /** The state of the simulated WeChat; undefined until the simulator has answered. */
  simulator: SimulatorView | undefined
  screens: Record<Person, Screen>
  /** The picture that the person has pressed, while the menu of the long press is open. */
  pressed: HTMLImageElement | undefined
  /** The last picture saved on each phone. */
  albums: Partial<Record<Person, HTMLImageElement>>
  backEnd: BackEndView
  wire: readonly WireEntry[]
  /** The ids of the expanded entries. */
  openEntries: ReadonlySet<number>
  /**
   * The page hides entries from before this time (of the demo's clock). These are the entries of earlier visits, and
   * the entries that the tester has cleared.
   */
  clearedAt: number
  /** Whether the screen is so narrow that only one part of the page fits. */
  isNarrow: boolean
  /** The part of the page that a narrow screen shows. */
  part: PagePart
  /** The last pressed copy button, which displays "Copied". */
  copied: string | undefined
}

export type Store = { read: () => PageState; write: (change: Partial<PageState>) => void }
