/** Stories in which the simulation has found a fault. Each story is as short as possible. */
import type { Recorded } from './simulate.ts'

const settings = {
  conflict: 'reject',
  confirm: 'off',
  unsubscribe: 'unbind',
  instances: 1,
  hasWebhook: false,
  hasUnionid: false,
} as const

export const stories: Record<string, Recorded> = {
  'an export after an erasure names the version that is kept': {
    settings,
    chance: 0,
    steps: [
      { do: 'qr', user: 0, page: false, refresh: false, label: 0, at: 0 },
      { do: 'erase', user: 0, at: 0 },
      { do: 'export', user: 0, at: 0 },
    ],
  },
}
