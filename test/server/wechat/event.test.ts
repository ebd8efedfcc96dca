import { describe, expect, test } from 'vitest'
import { toEvent } from '../../../server/wechat/event.ts'

const event = { ToUserName: 'gh_1', FromUserName: 'oAmy', CreateTime: '1700000000', MsgType: 'event' }
const common = { openid: 'oAmy', createTime: 1_700_000_000 }
const other = { type: 'other' }

/** A follow with this `EventKey`, and the scene that it carries. */
const follow = (eventKey: string, scene?: string) => ({ ...common, type: 'subscribe', scene, eventKey })

describe('toEvent', () => {
  test('reads the id of a tapped link, and no id from a typed text', () => {
    const text = { ...event, MsgType: 'text', Content: '确认', MsgId: '1' }
    expect(toEvent({ ...text, bizmsgmenuid: 'wb1_7' })).toMatchObject({ type: 'text', menuId: 'wb1_7' })
    expect(toEvent({ ...text, bizmsgmenuid: '' })).toMatchObject({ type: 'text', menuId: '' })
    expect(toEvent(text)).toMatchObject({ type: 'text', menuId: undefined })
  })

  test.each<[string, Record<string, string | undefined>, object]>([
    ['a scan', { Event: 'SCAN', EventKey: 'wb1_a_b' }, { ...common, type: 'SCAN', scene: 'wb1_a_b' }],
    ['a scan whose name is in lower case', { Event: 'scan', EventKey: 'x' }, { ...common, type: 'SCAN', scene: 'x' }],
    [
      'a scan whose scene begins with qrscene_, which is a prefix of follows only',
      { Event: 'SCAN', EventKey: 'qrscene_x' },
      { ...common, type: 'SCAN', scene: 'qrscene_x' },
    ],
    ['a scan without a scene', { Event: 'SCAN', EventKey: '' }, other],
    ['a scan without an EventKey', { Event: 'SCAN' }, other],

    ['a follow by QR code', { Event: 'subscribe', EventKey: 'qrscene_wb1_a' }, follow('qrscene_wb1_a', 'wb1_a')],
    [
      'a follow whose scene itself begins with qrscene_',
      { Event: 'Subscribe', EventKey: 'qrscene_qrscene_a' },
      follow('qrscene_qrscene_a', 'qrscene_a'),
    ],
    ['a follow with the prefix in capitals', { Event: 'subscribe', EventKey: 'QRSCENE_a' }, follow('QRSCENE_a', 'a')],
    ['a follow that lost its scene', { Event: 'subscribe', EventKey: '' }, follow('')],
    ['a follow without an EventKey', { Event: 'subscribe' }, follow('')],
    ['a follow after a payment', { Event: 'subscribe', EventKey: 'last_trade_no_4' }, follow('last_trade_no_4')],
    [
      'a follow after the scan of a product',
      { Event: 'subscribe', EventKey: 'scanbarcode|1' },
      follow('scanbarcode|1'),
    ],
    ['a follow with qrscene_ elsewhere', { Event: 'subscribe', EventKey: 'x_qrscene_a' }, follow('x_qrscene_a')],
    ['a follow with an empty scene', { Event: 'subscribe', EventKey: 'qrscene_' }, follow('qrscene_')],

    ['an openid with a lone surrogate', { Event: 'unsubscribe', FromUserName: 'o\ud800' }, other],
    [
      'an openid beyond the BMP',
      { Event: 'unsubscribe', FromUserName: 'o😀' },
      { openid: 'o😀', createTime: common.createTime, type: 'unsubscribe' },
    ],
    ['an unfollow', { Event: 'unsubscribe', EventKey: 'last_trade_no_4' }, { ...common, type: 'unsubscribe' }],
    [
      'an account that was closed',
      { Event: 'user_authorization_cancellation', FromUserName: 'oPlatform', OpenID: 'oAmy' },
      { ...common, type: 'user_authorization_cancellation' },
    ],
    [
      'a withdrawn authorization, in upper or lower case',
      { Event: 'User_Authorization_Revoke', FromUserName: '', OpenID: 'oAmy', RevokeInfo: '201' },
      { ...common, type: 'user_authorization_revoke' },
    ],
    ['a closed account without its openid', { Event: 'user_authorization_cancellation' }, other],
    ['a closed account whose openid has a NUL', { Event: 'user_authorization_cancellation', OpenID: 'o\0' }, other],
    ['a changed profile', { Event: 'user_info_modified', OpenID: 'oAmy' }, other],
    [
      'an unfollow with another OpenID, which is ignored',
      { Event: 'unsubscribe', OpenID: 'oBo' },
      { ...common, type: 'unsubscribe' },
    ],
    [
      'a text',
      { MsgType: 'text', Content: '解绑', MsgId: '22478079132150902' },
      { ...common, type: 'text', content: '解绑', msgId: '22478079132150902' },
    ],
    [
      'a text with the name of an event, which is ignored',
      { MsgType: 'text', Content: 'a', MsgId: '1', Event: 'user_authorization_revoke', OpenID: 'oBo' },
      { ...common, type: 'text', content: 'a', msgId: '1' },
    ],
    [
      'a text whose type is in capitals',
      { MsgType: 'TEXT', Content: 'a', MsgId: '1' },
      { ...common, type: 'text', content: 'a', msgId: '1' },
    ],
    [
      'a text without content and without an id',
      { MsgType: 'text' },
      { ...common, type: 'text', content: '', msgId: '' },
    ],

    ['a click on a menu', { Event: 'CLICK', EventKey: 'wb1_x' }, other],
    ['an event without a name', {}, other],
    ['a picture', { MsgType: 'image' }, other],
    ['a picture with the fields of a scan', { MsgType: 'image', Event: 'SCAN', EventKey: 'wb1_x' }, other],
    ['a message without a type', { MsgType: undefined, Event: 'SCAN', EventKey: 'wb1_x' }, other],

    ['an empty sender', { Event: 'SCAN', EventKey: 'x', FromUserName: '' }, other],
    ['a message without a sender', { Event: 'SCAN', EventKey: 'x', FromUserName: undefined }, other],
    ['an empty time', { Event: 'SCAN', EventKey: 'x', CreateTime: '' }, other],
    ['a message without a time', { Event: 'SCAN', EventKey: 'x', CreateTime: undefined }, other],
    ['a time that is not written in digits', { Event: 'SCAN', EventKey: 'x', CreateTime: '1e9' }, other],
    ['a time with a sign', { Event: 'SCAN', EventKey: 'x', CreateTime: '-1700000000' }, other],
    ['a time of 13 digits', { Event: 'SCAN', EventKey: 'x', CreateTime: '1700000000000' }, other],
    ['a scene with a NUL, which PostgreSQL cannot store', { Event: 'SCAN', EventKey: 'wb1_a\0b' }, other],
    ['a sender with a NUL', { Event: 'unsubscribe', FromUserName: 'o\0' }, other],
  ])('reads %s', (_, fields, expected) => {
    const given = Object.entries({ ...event, ...fields }).filter(([, value]) => value !== undefined)
    expect(toEvent(Object.fromEntries(given) as Record<string, string>)).toEqual(expected)
  })
})
