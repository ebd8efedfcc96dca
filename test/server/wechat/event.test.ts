import { describe, expect, test } from 'vitest'
import { toEvent } from '../../../server/wechat/event.ts'

const common = { ToUserName: 'gh_1', FromUserName: 'oAmy', CreateTime: '1700000000', MsgType: 'event' }
const who = { openid: 'oAmy', createTime: 1_700_000_000 }

describe('toEvent', () => {
  test('reads the id of a tapped link, and none of a typed text', () => {
    const text = { ...common, MsgType: 'text', Content: '确认', MsgId: '1' }
    expect(toEvent({ ...text, bizmsgmenuid: 'wb1_7' })).toMatchObject({ type: 'text', menuId: 'wb1_7' })
    expect(toEvent({ ...text, bizmsgmenuid: '' })).toMatchObject({ type: 'text', menuId: '' })
    expect(toEvent(text)).toMatchObject({ type: 'text', menuId: undefined })
  })

  test.each<[string, Record<string, string>, object]>([
    ['a scan', { Event: 'SCAN', EventKey: 'wb1_a_b' }, { ...who, type: 'SCAN', scene: 'wb1_a_b' }],
    ['a scan in any case', { Event: 'scan', EventKey: 'x' }, { ...who, type: 'SCAN', scene: 'x' }],
    [
      'a scan whose scene begins like the prefix',
      { Event: 'SCAN', EventKey: 'qrscene_x' },
      { ...who, type: 'SCAN', scene: 'qrscene_x' },
    ],
    [
      'a follow by QR',
      { Event: 'subscribe', EventKey: 'qrscene_wb1_a' },
      { ...who, type: 'subscribe', scene: 'wb1_a', eventKey: 'qrscene_wb1_a' },
    ],
    [
      'a prefix cut once',
      { Event: 'Subscribe', EventKey: 'qrscene_qrscene_a' },
      { ...who, type: 'subscribe', scene: 'qrscene_a', eventKey: 'qrscene_qrscene_a' },
    ],
    [
      'a prefix in capitals',
      { Event: 'subscribe', EventKey: 'QRSCENE_a' },
      { ...who, type: 'subscribe', scene: 'a', eventKey: 'QRSCENE_a' },
    ],
    [
      'a follow that lost its scene',
      { Event: 'subscribe', EventKey: '' },
      { ...who, type: 'subscribe', scene: undefined, eventKey: '' },
    ],
    [
      'a follow without the element',
      { Event: 'subscribe' },
      { ...who, type: 'subscribe', scene: undefined, eventKey: '' },
    ],
    [
      'a follow after paying',
      { Event: 'subscribe', EventKey: 'last_trade_no_4' },
      { ...who, type: 'subscribe', scene: undefined, eventKey: 'last_trade_no_4' },
    ],
    [
      'a follow by a product scan',
      { Event: 'subscribe', EventKey: 'scanbarcode|1' },
      { ...who, type: 'subscribe', scene: undefined, eventKey: 'scanbarcode|1' },
    ],
    [
      'an empty scene',
      { Event: 'subscribe', EventKey: 'qrscene_' },
      { ...who, type: 'subscribe', scene: undefined, eventKey: 'qrscene_' },
    ],
    ['a scene that no database keeps', { Event: 'SCAN', EventKey: 'wb1_a\0b' }, { type: 'other' }],
    ['a sender that no database keeps', { Event: 'unsubscribe', FromUserName: 'o\0' }, { type: 'other' }],
    ['an unfollow', { Event: 'unsubscribe', EventKey: 'last_trade_no_4' }, { ...who, type: 'unsubscribe' }],
    [
      'a text',
      { MsgType: 'text', Content: '解绑', MsgId: '22478079132150902' },
      { ...who, type: 'text', content: '解绑', msgId: '22478079132150902' },
    ],
    ['a scan without a scene', { Event: 'SCAN', EventKey: '' }, { type: 'other' }],
    ['a menu click', { Event: 'CLICK', EventKey: 'wb1_x' }, { type: 'other' }],
    ['an event without a name', {}, { type: 'other' }],
    ['a picture', { MsgType: 'image' }, { type: 'other' }],
    ['no sender', { Event: 'SCAN', EventKey: 'x', FromUserName: '' }, { type: 'other' }],
    ['no time', { Event: 'SCAN', EventKey: 'x', CreateTime: '' }, { type: 'other' }],
    ['a time that is none', { Event: 'SCAN', EventKey: 'x', CreateTime: '1e9' }, { type: 'other' }],
  ])('reads %s', (_, more, expected) => {
    expect(toEvent({ ...common, ...more })).toEqual(expected)
  })
})
