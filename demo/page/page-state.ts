/** The state of the QA page, and the store that its actions use. */
import type { DemoView } from '../demo-api.ts'
import type { WireEntry } from '../simulator/traffic-log.ts'
import type { SimulatorView } from '../simulator/views.ts'
import type { BackEndView } from './host-site-client.ts'
import type { Person, Settings } from './settings.ts'

/** The screen of a phone. `view`: the last picture of the camera. */
export type Screen =
  | { name: 'home' | 'follow' | 'chat' | 'profile' | 'expired' | 'unknown' | 'offline' | 'browser' }
  | { name: 'scanner'; found: 'looking' | 'nothing'; view?: HTMLCanvasElement | undefined }

export const pageParts = ['site', 'phone', 'backEnd', 'traffic'] as const
export type PagePart = (typeof pageParts)[number]

export type PageState = {
  settings: Settings
  demo: DemoView
  /** Undefined until the simulator has answered. */
  simulator: SimulatorView | undefined
  screens: Record<Person, Screen>
  /** The picture of a long press, while its menu is open. */
  pressed: HTMLImageElement | undefined
  /** The last picture saved on each phone. */
  albums: Partial<Record<Person, HTMLImageElement>>
  backEnd: BackEndView
  wire: readonly WireEntry[]
  /** The ids of the expanded entries. */
  openEntries: ReadonlySet<number>
  /** Entries before this time (of the demo's clock) are hidden: those of earlier visits, or cleared ones. */
  clearedAt: number
  /** Whether the screen is too narrow for more than one part. */
  isNarrow: boolean
  /** The part that a narrow screen shows. */
  part: PagePart
  /** The button that copied last. */
  copied: string | undefined
}

export type Store = { read: () => PageState; write: (change: Partial<PageState>) => void }
