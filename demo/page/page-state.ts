/** The state of the demo page, and the store that its actions read and write. */
import type { DemoView } from '../demo-api.ts'
import type { SimulatorView } from '../simulator/control-api.ts'
import type { WireEntry } from '../simulator/traffic-log.ts'
import type { BackEndView } from './host-site-client.ts'
import type { Person, Settings } from './settings.ts'

/** What a phone shows. `view`: what its camera saw last. */
export type Screen =
  | { name: 'home' | 'follow' | 'chat' | 'profile' | 'expired' | 'unknown' | 'offline' | 'browser' }
  | { name: 'scanner'; found: 'looking' | 'nothing'; view?: HTMLCanvasElement | undefined }

export type PageState = {
  settings: Settings
  demo: DemoView
  /** Undefined until the simulator has answered. */
  simulator: SimulatorView | undefined
  screens: Record<Person, Screen>
  /** The picture that a long press asks about. */
  pressed: HTMLImageElement | undefined
  /** The picture that was saved to a phone. */
  albums: Partial<Record<Person, HTMLImageElement>>
  backEnd: BackEndView
  wire: readonly WireEntry[]
  /** The ids of the entries that are open, and the moment before which nothing is shown. */
  openEntries: ReadonlySet<number>
  clearedAt: number
  /** What was copied last. */
  copied: string | undefined
}

export type Store = { read: () => PageState; write: (change: Partial<PageState>) => void }
