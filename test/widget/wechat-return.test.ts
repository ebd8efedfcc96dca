import { afterEach, describe, expect, test } from 'vitest'
import { claimReturn, receiveReturn } from '../../widget/wechat-return.ts'

const page = location.href
const proof = 'p_-'.padEnd(43, 'x')

afterEach(() => {
  claimReturn()
  // WebKit allows 100 calls in 10 s.
  if (location.href !== page) history.replaceState(null, '', page)
})

/** Returns the fragment of the page's URL after the element has read the URL. */
function receiveAt(fragment: string): string {
  history.replaceState({ key: 'of the router' }, '', `${page.split('#')[0]}${fragment}`)
  receiveReturn()
  return location.href.slice(page.split('#')[0]?.length)
}

describe('receiveReturn', () => {
  test.each([
    ['a page without a fragment', '#wechat-bind=P', ''],
    ['a fragment with the id of an element', '#settings?wechat-bind=P', '#settings'],
    ['a hash router', '#/account?wechat-bind=P', '#/account'],
    ['a hash router with a query', '#/account?x=1&wechat-bind=P', '#/account?x=1'],
    ['a hash router with a parameter after the proof', '#/account?wechat-bind=P&tab=2', '#/account?tab=2'],
    [
      'a hash router with parameters before and after the proof',
      '#/account?x=1&wechat-bind=P&tab=2',
      '#/account?x=1&tab=2',
    ],
    ['a page without a fragment, and a parameter after the proof', '#wechat-bind=P&tab=2', '#tab=2'],
  ])('removes the proof from the URL and keeps the rest: %s', (_what, fragment, rest) => {
    expect(receiveAt(fragment.replace('P', proof))).toBe(rest)
    expect(claimReturn()).toEqual({ proof })
    expect(history.state).toEqual({ key: 'of the router' })
  })

  test.each([
    ['#/account?wechat-bind-error=DECLINED', '#/account', 'DECLINED'],
    ['#wechat-bind-error=WECHAT_UNAVAILABLE', '', 'WECHAT_UNAVAILABLE'],
  ])('returns the error code of %s', (fragment, rest, code) => {
    expect(receiveAt(fragment)).toBe(rest)
    const returned = claimReturn()
    expect(returned?.error).toMatchObject({ code, retryable: false })
  })

  test.each(['#/account?x=1', '#my-wechat-bind=P', '#/wechat-bind/P', '#wechat-binding=P', ''])(
    'does not change a fragment without a result: "%s"',
    (fragment) => {
      expect(receiveAt(fragment)).toBe(fragment)
      expect(claimReturn()).toBeUndefined()
    },
  )

  test.each([
    ['#/a?x=1?wechat-bind=FORGED&wechat-bind=P', '#/a?x=1?wechat-bind=FORGED'],
    ['#wechat-bind-error=FORGED&wechat-bind=P', '#wechat-bind-error=FORGED'],
  ])('takes the last result, because the server adds its result at the end: %s', (fragment, rest) => {
    expect(receiveAt(fragment.replace('=P', `=${proof}`))).toBe(rest)
    expect(claimReturn()).toEqual({ proof })
  })

  test("adds no entry to the browser's history", () => {
    const { length } = history
    receiveAt(`#wechat-bind=${proof}`)
    expect(history.length).toBe(length)
  })
})

describe('claimReturn', () => {
  test('returns the result to one caller only, even if another element reads the URL afterwards', () => {
    receiveAt(`#wechat-bind=${proof}`)
    receiveReturn()
    expect([claimReturn(), claimReturn()]).toEqual([{ proof }, undefined])
  })
})
