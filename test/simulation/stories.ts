/** Stories in which the simulation has found a fault. Each story is as short as possible. */
import type { Recorded } from './simulate.ts'

const settings = {
  conflict: 'reject',
  confirm: 'off',
  unsubscribe: 'unbind',
  instances: 1,
  hasWebhook: false,
  hasUnionid: false,
  hasOauth: false,
  ready: 0,
  forward: 'off',
  forwardsAll: false,
} as const

export const stories: Record<string, Recorded> = {
  'an export after an erasure contains the version that the server has kept': {
    settings,
    chance: 0,
    steps: [
      { do: 'qr', user: 0, page: false, refresh: false, label: 0, at: 0 },
      { do: 'erase', user: 0, at: 0 },
      { do: 'export', user: 0, at: 0 },
    ],
  },
  'an export during an erasure does not mix the states before and after': {
    settings,
    chance: 0,
    steps: [
      { do: 'qr', user: 0, page: false, refresh: false, label: 0, at: 0 },
      {
        do: 'race',
        of: [
          { do: 'export', user: 0, at: 0 },
          { do: 'erase', user: 0, at: 0 },
        ],
        order: 0,
      },
    ],
  },
  'an export during the erasure of a bound user contains the event of the erasure only': {
    settings,
    chance: 0,
    steps: [
      { do: 'qr', user: 1, page: false, refresh: false, label: 0, at: 0 },
      { do: 'say', phone: 0, what: 'scan', pick: 0, at: 0 },
      { do: 'console', what: 'show', who: 0, user: 0, phone: 0, isForged: false, at: 0 },
      {
        do: 'race',
        of: [
          { do: 'export', user: 1, at: 0 },
          { do: 'console', what: 'erase', who: 0, user: 1, phone: 0, isForged: false, at: 0 },
        ],
        order: 587392242,
      },
    ],
  },
  'an answer that WeChat sent before an unfollow, in the same second, does not undo the unfollow': {
    settings: { ...settings, unsubscribe: 'mark' },
    chance: 0,
    steps: [
      { do: 'qr', user: 0, page: false, refresh: false, label: 0, at: 0 },
      { do: 'wechat', trouble: 'slow' },
      { do: 'say', phone: 0, what: 'scan', pick: 0, at: 0 },
      { do: 'say', phone: 0, what: 'unfollow', pick: 0, at: 0 },
      { do: 'wechat', trouble: 'up' },
    ],
  },
  'a page gets the bound state if its user was bound while WeChat created the QR code': {
    settings: { ...settings, hasUnionid: true },
    chance: 0,
    steps: [
      { do: 'qr', user: 0, page: false, refresh: false, label: 0, at: 0 },
      { do: 'wechat', trouble: 'busy' },
      { do: 'qr', user: 1, page: true, refresh: false, label: 0, at: 0 },
      { do: 'import', lines: [{ user: 1, phone: 0 }], conflict: 'reject', at: 0 },
      { do: 'say', phone: 0, what: 'scan', pick: 0, at: 0 },
    ],
  },
  'the unionid may arrive before the QR code that a page waits for': {
    settings: { ...settings, hasUnionid: true },
    chance: 0,
    steps: [
      { do: 'import', lines: [{ user: 0, phone: 0 }], conflict: 'reject', at: 0 },
      { do: 'wechat', trouble: 'slow' },
      { do: 'pass', ms: 60_000 },
      { do: 'qr', user: 2, page: true, refresh: false, label: 0, at: 0 },
      {
        do: 'import',
        lines: [{ user: 2, phone: 0 }],
        conflict: 'replace',
        at: 0,
        fault: { call: 1, kind: 'before' },
      },
      { do: 'wechat', trouble: 'up' },
    ],
  },
  'a back end repeats the request for a page of the list': {
    settings: { ...settings, instances: 2 },
    chance: 0,
    steps: [
      { do: 'disk', at: 0, isDown: true },
      { do: 'list', tenant: 0, limit: 1, at: 0 },
      { do: 'replay', call: 0, at: 1 },
    ],
  },
  'an import and a request for a QR code of the same user at the same time': {
    settings,
    chance: 0,
    steps: [
      { do: 'qr', user: 1, page: false, refresh: false, label: 0, at: 0 },
      { do: 'wechat', trouble: 'busy' },
      {
        do: 'race',
        of: [
          { do: 'import', lines: [{ user: 0, phone: 0 }], conflict: 'reject', at: 0 },
          { do: 'qr', user: 0, page: true, refresh: false, label: 0, at: 0 },
        ],
        order: 1086683563,
      },
    ],
  },
  'the server fetches the unionid of an openid that was moved': {
    settings: { ...settings, hasUnionid: true },
    chance: 0,
    steps: [
      { do: 'import', lines: [{ user: 0, phone: 0, isOld: true }], conflict: 'reject', at: 0 },
      { do: 'crash', at: 0 },
      { do: 'move', isDryRun: false, at: 0 },
    ],
  },
  'an import and an erasure of the same user at the same time': {
    settings: { ...settings, hasWebhook: true },
    chance: 0,
    steps: [
      {
        do: 'race',
        of: [
          { do: 'erase', user: 2, at: 0 },
          {
            do: 'import',
            lines: [
              { user: 2, phone: 2 },
              { user: 0, phone: 2 },
              { user: 0, phone: 0 },
            ],
            conflict: 'replace',
            at: 0,
          },
        ],
        order: 0,
      },
      { do: 'pass', ms: 3_600_000 },
    ],
  },
  'two requests for a QR code ask again after an import has closed all tickets, and each gets a QR code': {
    settings: { ...settings, ready: 2 },
    chance: 0,
    steps: [
      { do: 'wechat', trouble: 'slow' },
      {
        do: 'race',
        of: [
          { do: 'qr', user: 1, page: false, refresh: false, label: 0, at: 0 },
          { do: 'qr', user: 1, page: false, refresh: true, label: 0, at: 0 },
        ],
        order: 0,
      },
      { do: 'import', lines: [{ user: 1, phone: 1 }], conflict: 'reject', at: 0 },
    ],
  },
  'a waiting page may be told the refused scan that came just before the erasure of its user': {
    settings,
    chance: 0,
    steps: [
      { do: 'qr', user: 2, page: false, refresh: false, label: 0, at: 0 },
      { do: 'unbind', user: 2, by: 'disconnect', at: 0 },
      { do: 'wait', user: 2, at: 0 },
      {
        do: 'race',
        of: [
          { do: 'erase', user: 2, at: 0 },
          { do: 'say', phone: 0, what: 'scan', pick: 0, at: 0 },
        ],
        order: 0,
      },
    ],
  },
  'the answer to a proof may be the binding that ended while WeChat created the QR code for following the account': {
    settings: { ...settings, hasOauth: true },
    chance: 0,
    steps: [
      { do: 'qr', user: 0, page: false, refresh: false, label: 0, at: 0 },
      { do: 'authorize', user: 0, at: 0 },
      { do: 'come_back', phone: 0, pick: 0, declines: false, at: 0 },
      { do: 'wechat', trouble: 'busy' },
      { do: 'prove', pick: 0, other: false, label: 0, at: 0 },
      { do: 'pass', ms: 280_275 },
      { do: 'say', phone: 0, what: 'undo', pick: 0, at: 0 },
    ],
  },
  'a server without its store may forward a message that is not about binding, while another request fails': {
    settings: { ...settings, forward: 'retry' },
    chance: 0,
    steps: [
      { do: 'old_system', mood: 'fails' },
      { do: 'disk', at: 0, isDown: true },
      {
        do: 'race',
        of: [
          { do: 'say', phone: 1, what: 'follow_other', pick: 0, at: 0 },
          { do: 'wait', user: 1, at: 0 },
        ],
        order: 1,
      },
    ],
  },
  'an erasure may be completed before WeChat has made the QR code of the same user': {
    settings: { ...settings, confirm: 'off' },
    chance: 0,
    steps: [
      { do: 'qr', user: 1, page: false, refresh: false, label: 0, at: 0 },
      { do: 'wechat', trouble: 'busy' },
      { do: 'qr', user: 1, page: false, refresh: true, label: 0, at: 0 },
      { do: 'say', phone: 0, what: 'scan', pick: 0, at: 0 },
      { do: 'erase', user: 1, at: 0 },
    ],
  },
}
