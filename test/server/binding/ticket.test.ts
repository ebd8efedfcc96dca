import { describe, expect, test } from 'vitest'
import type { Rules } from '../../../server/binding/decision.ts'
import { toIntent } from '../../../server/binding/intent.ts'
import { createCode, createScene, deadlineOf, isReusable, isShowable } from '../../../server/binding/ticket.ts'
import type { Ticket } from '../../../server/store/store.ts'

const NOW = 1_700_000_000_000
const rules: Rules = { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' }
const sender = { openid: 'o1', createTime: NOW / 1000 }

/** Made at NOW, valid for 120 s. */
const ticket = { createdAt: NOW, expiresAt: NOW + 120_000 } as Ticket

describe('createScene', () => {
  test('makes a scene of 128 random bits that WeChat accepts: at most 64 characters, without a character that needs escaping', () => {
    const scenes = Array.from({ length: 100 }, createScene)
    for (const scene of scenes) expect(scene).toMatch(/^wb1_[\w-]{22}$/)
    expect(new Set(scenes).size).toBe(100)
  })

  test('makes a scene that is recognised as a scene of this server', () => {
    const scene = createScene()
    expect(toIntent({ ...sender, type: 'SCAN', scene }, 'wx1', rules)).toMatchObject({ type: 'claim', key: scene })
  })
})

describe('createCode', () => {
  const createCodes = () => Array.from({ length: 500 }, createCode)

  test('makes eight characters, without 0 O 1 I L, which look alike on a screen', () => {
    const codes = createCodes()
    for (const code of codes) expect(code).toMatch(/^[2-9A-HJKMNP-Z]{8}$/)
    expect(new Set(codes).size).toBe(500)
  })

  test('uses all 31 characters', () => {
    expect(new Set(createCodes().join('')).size).toBe(31)
  })

  test.each(['', ' in lower case'])('makes a code that the chat accepts%s', (how) => {
    for (const code of createCodes()) {
      const content = `绑定 ${how ? code.toLowerCase() : code}`
      const event = { ...sender, type: 'text', content, msgId: '1', menuId: undefined } as const
      const intent = toIntent(event, 'wx1', rules)
      expect(intent).toMatchObject({ type: 'claim', key: code })
    }
  })
})

describe('isShowable', () => {
  test('is true while at least one second is left', () => {
    expect([0, 119_000, 119_001, 120_000].map((ms) => isShowable(ticket, NOW + ms))).toEqual([true, true, false, false])
  })
})

describe('isReusable', () => {
  test('is true while more than a sixth of the lifetime is left', () => {
    expect([0, 99_999, 100_000, 110_000].map((ms) => isReusable(ticket, NOW + ms))).toEqual([true, true, false, false])
  })

  test('is false with less than a second left, even if that is more than a sixth', () => {
    const short = { ...ticket, expiresAt: NOW + 2_000 }
    expect([1_000, 1_001].map((ms) => isReusable(short, NOW + ms))).toEqual([true, false])
  })
})

describe('deadlineOf', () => {
  test('returns the expiry for a scan and a code, and 300 s later for a follow', () => {
    expect(deadlineOf(ticket, 'SCAN')).toBe(NOW + 120_000)
    expect(deadlineOf(ticket, 'text')).toBe(NOW + 120_000)
    expect(deadlineOf(ticket, 'subscribe')).toBe(NOW + 420_000)
  })
})
