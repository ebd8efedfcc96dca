import { describe, expect, test } from 'vitest'
import { toCause } from '../../../server/telemetry/cause.ts'

describe('toCause', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  const full = Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })

  test.each<[name: string, cause: unknown, text: string | undefined]>([
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['a word of this server', 'msg_signature', 'msg_signature'],
    ["WeChat's errcode", { errcode: 40164, errmsg: 'invalid ip rid: 1-2' }, '40164 invalid ip rid: 1-2'],
    ['an error with a code', full, 'ERR_SQLITE_ERROR: database or disk is full'],
    ['an error whose message has its code', refused, 'connect ECONNREFUSED 127.0.0.1:1'],
    ['an error without a code', new RangeError('too long'), 'RangeError: too long'],
    ['an error without a message', Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['an error of fetch', new TypeError('fetch failed', { cause: refused }), 'connect ECONNREFUSED 127.0.0.1:1'],
    ['something else', 7, '7'],
  ])('makes one text of %s', (_, cause, text) => expect(toCause(cause)).toBe(text))
})
