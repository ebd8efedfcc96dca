import { describe, expect, test } from 'vitest'
import {
  accessTokenLight,
  callbackLight,
  errorsLight,
  waitingLight,
  webhooksLight,
} from '../../../server/console/lights.ts'
import { toTimeToBind } from '../../../server/console/overview.ts'
import type { Light } from '../../../server/console/wire.ts'

const NOW = 1_700_000_000_000
const counts = (shown: number) => ({ shown, scanned: 0, confirmed: 0, bound: 0, unbound: 0 })
const off = [{ name: 'crm', status: 'gone' as const }]

describe('the lights', () => {
  test.each<[what: string, light: Light, name: Light['light'], word: string | undefined]>([
    ['few waiting pages', waitingLight({ pages: 79, limit: 100 }), 'ok', undefined],
    ['many waiting pages', waitingLight({ pages: 80, limit: 100 }), 'warn', 'MAX_WAITERS'],
    ['as many waiting pages as the limit allows', waitingLight({ pages: 100, limit: 100 }), 'bad', 'MAX_WAITERS'],
    ['no callback and no QR code yet', callbackLight(counts(0), null, NOW), 'unknown', undefined],
    ['an old callback and few QR codes', callbackLight(counts(4), NOW - 1, NOW), 'ok', undefined],
    ['many QR codes without a callback', callbackLight(counts(5), NOW - 1, NOW), 'bad', 'PUBLIC_URL'],
    ['many QR codes and a callback', callbackLight(counts(5), NOW, NOW), 'ok', undefined],
    ['a valid access token', accessTokenLight({ expiresAt: NOW + 1 }, [], NOW), 'ok', undefined],
    ['no access token yet', accessTokenLight({ expiresAt: null }, [], NOW), 'unknown', undefined],
    [
      'a wrong AppSecret',
      accessTokenLight({ expiresAt: NOW }, [{ errcode: 40125, lastAt: NOW }], NOW),
      'bad',
      'WECHAT_APP_SECRET',
    ],
    ['no refusal', errorsLight([]), 'ok', undefined],
    ['a WeChat that does not answer', errorsLight([{ errcode: 0, lastAt: NOW }]), 'warn', 'DNS'],
    ['a temporary refusal', errorsLight([{ errcode: -1, lastAt: NOW }]), 'warn', ''],
    [
      'a permanent refusal that is older than a temporary refusal',
      errorsLight([
        { errcode: -1, lastAt: NOW },
        { errcode: 40164, lastAt: NOW - 1 },
      ]),
      'bad',
      'IP白名单',
    ],
    ['an unknown errcode', errorsLight([{ errcode: 99_999, lastAt: NOW }]), 'bad', ''],
    ['no webhooks', webhooksLight({ seconds: null, failed: 0 }, []), 'unknown', undefined],
    ['webhooks that are delivered', webhooksLight({ seconds: 59, failed: 0 }, []), 'ok', undefined],
    ['webhooks that are late', webhooksLight({ seconds: 60, failed: 0 }, []), 'warn', 'Webhooks'],
    ['webhooks that are very late', webhooksLight({ seconds: 900, failed: 0 }, []), 'bad', 'Webhooks'],
    ['webhooks that were given up', webhooksLight({ seconds: 0, failed: 1 }, []), 'warn', 'Webhooks'],
    ['a receiver that is off', webhooksLight({ seconds: 0, failed: 0 }, off), 'bad', 'webhooks enable crm'],
  ])('show %s', (_, { light, advice }, name, word) => {
    expect(light).toBe(name)
    if (word === undefined) return expect(advice).toBeUndefined()
    expect(advice?.fix?.en).toContain(word)
    expect(advice?.zh).toMatch(/[\u4e00-\u9fff]/)
    expect(advice?.fix?.zh).toMatch(/[\u4e00-\u9fff]/)
  })
})

describe('toTimeToBind', () => {
  const took = (...counts: number[]) => toTimeToBind({ took: [...counts, ...Array(14 - counts.length).fill(0)] })

  test('returns no quantiles without values', () => {
    expect(took()).toMatchObject({ count: 0, p50: null, p90: null, p99: null })
  })

  test('spreads the values of a bucket evenly', () => {
    expect(took(0, 4)).toMatchObject({ count: 4, p50: 3.5, p90: 4.7 })
    expect(took(1, 0, 1)).toMatchObject({ p50: 2, p99: 9.9 })
  })

  test('returns the lower limit for a value in the last bucket, which has no upper limit', () => {
    const { buckets, p50 } = toTimeToBind({ took: [...Array(13).fill(0), 5] })
    expect(buckets.at(-1)).toEqual({ from: 600, upTo: null, count: 5 })
    expect(p50).toBe(600)
  })
})
