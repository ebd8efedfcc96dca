import { describe, expect, test } from 'vitest'
import type { Rules } from '../../../server/binding/decision.ts'
import { deliveryKeyOf, type Intent, toIntent } from '../../../server/binding/intent.ts'
import type { WechatEvent } from '../../../server/wechat/event.ts'

const T = 1_700_000_000
const sender = { openid: 'o1', createTime: T }
const rules: Rules = { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' }

const claim = (via: 'SCAN' | 'subscribe' | 'text', key: string): Intent => ({
  type: 'claim',
  claim: { ...sender, via, appId: 'wx1' },
  key,
})

const scan = (scene: string) => ({ ...sender, type: 'SCAN', scene }) as const
const follow = (eventKey: string, scene?: string) => ({ ...sender, type: 'subscribe', scene, eventKey }) as const
const text = (content: string, msgId = '1', menuId?: string) =>
  ({ ...sender, type: 'text', content, msgId, menuId }) as const
const unfollow = { ...sender, type: 'unsubscribe' } as const

type Row = { name: string; event: WechatEvent; rules?: Partial<Rules>; intent: Intent | undefined }

const undo: Intent = { ...sender, type: 'undo' }
const confirm: Intent = { ...sender, type: 'confirm', question: undefined }

const rows: Row[] = [
  { name: 'a scan with a scene of this server', event: scan('wb1_a'), intent: claim('SCAN', 'wb1_a') },
  { name: 'a scan with a scene of another system', event: scan('shop_wb1_a'), intent: undefined },

  {
    name: 'a follow with a scene of this server',
    event: follow('qrscene_wb1_a', 'wb1_a'),
    intent: claim('subscribe', 'wb1_a'),
  },
  {
    name: 'a follow whose scene WeChat lost',
    event: follow(''),
    intent: { ...sender, type: 'follow', isSceneLost: true },
  },
  { name: 'a follow with a scene of another system', event: follow('qrscene_shop', 'shop'), intent: undefined },
  { name: 'a follow after a payment', event: follow('last_trade_no_4'), intent: undefined },
  {
    name: 'a follow with a scene of another system, under UNSUBSCRIBE=mark',
    event: follow('qrscene_shop', 'shop'),
    rules: { unsubscribe: 'mark' },
    intent: { ...sender, type: 'follow', isSceneLost: false },
  },
  {
    name: 'a follow with a scene of this server, under UNSUBSCRIBE=mark',
    event: follow('qrscene_wb1_a', 'wb1_a'),
    rules: { unsubscribe: 'mark' },
    intent: claim('subscribe', 'wb1_a'),
  },

  { name: 'an unfollow', event: unfollow, intent: { ...sender, type: 'unfollow' } },
  ...(['user_authorization_cancellation', 'user_authorization_revoke'] as const).map((type) => ({
    name: `${type}, under UNSUBSCRIBE=mark`,
    event: { ...sender, type },
    rules: { unsubscribe: 'mark' } as const,
    intent: { ...sender, type: 'unfollow', erases: true } as const,
  })),
  { name: 'an event of another kind', event: { type: 'other' }, intent: undefined },

  {
    name: 'a tap on a link of this server, with the question that the link names',
    event: text('确认绑定', '1', 'wb1_7'),
    rules: { confirm: 'reply' },
    intent: { ...sender, type: 'confirm', question: 7 },
  },
  {
    name: 'a tap on a link of another system that sends a word of this server',
    event: text('确认', '1', 'shop_7'),
    rules: { confirm: 'reply' },
    intent: undefined,
  },
  ...['绑定 ABCD2345', '绑定ABCD2345', '綁定:ABCD2345', 'Bind：abcd2345', '  绑定 ： ABCD2345\n'].map((content) => ({
    name: `the text ${JSON.stringify(content)}`,
    event: text(content),
    intent: claim('text', 'ABCD2345'),
  })),
  ...[
    '绑定 ABCD234',
    '绑定 ABCD23456',
    '绑定 ABCD2340',
    '绑定 ABCD234I',
    '绑定-ABCD2345',
    'x绑定 ABCD2345',
    'ABCD2345',
    '绑定',
  ].map((content) => ({ name: `the text ${JSON.stringify(content)}`, event: text(content), intent: undefined })),

  ...['解绑', '解綁', 'unbind', 'UNBIND', ' 解绑 '].map((content) => ({
    name: `the text ${JSON.stringify(content)}`,
    event: text(content),
    intent: undo,
  })),
  ...['我要解绑', '解绑吗', 'unbind me', ''].map((content) => ({
    name: `the text ${JSON.stringify(content)}`,
    event: text(content),
    intent: undefined,
  })),

  ...['确认绑定', '確認綁定', '确认', '確認', 'confirm', 'Yes', ' 确认 '].flatMap((content) => [
    {
      name: `the text ${JSON.stringify(content)} under CONFIRM=reply`,
      event: text(content),
      rules: { confirm: 'reply' } as const,
      intent: confirm,
    },
    ...(['off', 'code'] as const).map((mode) => ({
      name: `the text ${JSON.stringify(content)} under CONFIRM=${mode}`,
      event: text(content),
      rules: { confirm: mode },
      intent: undefined,
    })),
  ]),
  ...['不确认', '确认吗', 'yes please'].map((content) => ({
    name: `the text ${JSON.stringify(content)} under CONFIRM=reply`,
    event: text(content),
    rules: { confirm: 'reply' } as const,
    intent: undefined,
  })),
  {
    name: 'the text "解绑" under CONFIRM=reply',
    event: text('解绑'),
    rules: { confirm: 'reply' },
    intent: undo,
  },
  {
    name: 'the text "绑定 ABCD2345" under CONFIRM=reply',
    event: text('绑定 ABCD2345'),
    rules: { confirm: 'reply' },
    intent: claim('text', 'ABCD2345'),
  },
]

describe('toIntent', () => {
  test.each(rows)('reads $name', ({ event, rules: own, intent }) => {
    expect(toIntent(event, 'wx1', { ...rules, ...own })).toEqual(intent)
  })
})

describe('deliveryKeyOf', () => {
  test.each<[string, Exclude<WechatEvent, { type: 'other' }>, string]>([
    ['a scan, with its scene', scan('wb1_a'), `${T}|wx1|o1|SCAN|wb1_a`],
    ['a follow, with its scene', follow('qrscene_wb1_a', 'wb1_a'), `${T}|wx1|o1|subscribe|wb1_a`],
    ['a follow without a scene', follow(''), `${T}|wx1|o1|subscribe|`],
    ['an unfollow', unfollow, `${T}|wx1|o1|unsubscribe|`],
    [
      'an account that was closed',
      { ...sender, type: 'user_authorization_cancellation' },
      `${T}|wx1|o1|user_authorization_cancellation|`,
    ],
    ['a text, with its MsgId', text('解绑', '22478079132150902'), `${T}|wx1|o1|text|22478079132150902`],
    ['a text without a MsgId, with its content', text('解绑', ''), `${T}|wx1|o1|text|解绑`],
  ])('identifies %s', (_, event, key) => {
    expect(deliveryKeyOf(event, 'wx1')).toBe(key)
  })
})
