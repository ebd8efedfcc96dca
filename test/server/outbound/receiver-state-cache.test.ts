import { describe, expect, test } from 'vitest'
import { createReceiverStateCache } from '../../../server/outbound/receiver-state-cache.ts'
import type { ReceiverFailure, ReceiverState } from '../../../server/store/outbox.ts'

const NOW = 1_700_000_000_000
const failure = { status: 503, error: null }

const stateOf = (more: Partial<ReceiverState>): ReceiverState => ({
  name: 'crm',
  status: 'on',
  failingSince: NOW,
  failures: 1,
  pausedUntil: null,
  lastFailure: failure,
  lastFailureAt: NOW,
  ...more,
})

/** A cache over a store that has these states, and answers a failure with `failed`. */
function open(states: ReceiverState[], failed = stateOf({})) {
  const accepted: string[] = []
  const cache = createReceiverStateCache({
    receivers: async () => states,
    receiverFailed: async () => failed,
    receiverAccepted: async (name) => void accepted.push(name),
  })
  return { ...cache, accepted: cache.accepted, savedAsAccepted: accepted }
}

const failed: ReceiverFailure = { name: 'crm', now: NOW, failure, isGone: false, pausedUntil: null }

describe('the requests that a receiver may have in flight', () => {
  test.each<[string, Partial<ReceiverState>, number]>([
    ['one that accepts', { failures: 0, failingSince: null }, 8],
    ['one that has failed', {}, 1],
    ['one that is paused', { pausedUntil: NOW + 1 }, 0],
    ['one whose pause is over', { pausedUntil: NOW }, 1],
    ['one that answered 410', { status: 'gone' }, 0],
    ['one that is off', { status: 'off' }, 0],
  ])('are limited for %s', async (_, state, limit) => {
    const { refresh, limitOf } = open([stateOf(state)])
    expect(limitOf('crm', NOW)).toBe(8)
    await refresh()
    expect(limitOf('crm', NOW)).toBe(limit)
    expect(limitOf('other', NOW)).toBe(8)
  })
})

describe('a failure', () => {
  test('is known at once, and reports that it has switched the receiver off', async () => {
    const { failed: save, failuresOf, limitOf } = open([], stateOf({ status: 'gone', failures: 3 }))
    expect(failuresOf('crm')).toBe(0)
    expect(await save(failed)).toMatchObject({ isSwitchedOff: true })
    expect([failuresOf('crm'), limitOf('crm', NOW)]).toEqual([3, 0])
    expect(await save(failed)).toMatchObject({ isSwitchedOff: false })
  })
})

describe('a request that is accepted', () => {
  test('resets the failures of a receiver once', async () => {
    const { refresh, accepted, failuresOf, savedAsAccepted } = open([stateOf({ pausedUntil: NOW - 1 })])
    await refresh()
    expect(await accepted('crm', NOW)).toBe(true)
    expect(failuresOf('crm')).toBe(0)
    expect(await accepted('crm', NOW)).toBe(false)
    expect(savedAsAccepted).toEqual(['crm'])
  })

  test.each<[string, Partial<ReceiverState>]>([
    ['was sent before a pause', { pausedUntil: NOW + 1 }],
    ['was sent before the receiver was switched off', { status: 'off' }],
    ['had no failure before it', { failures: 0 }],
  ])('changes nothing if it %s', async (_, state) => {
    const { refresh, accepted, limitOf, savedAsAccepted } = open([stateOf(state)])
    await refresh()
    const limit = limitOf('crm', NOW)
    expect(await accepted('crm', NOW)).toBe(false)
    expect(limitOf('crm', NOW)).toBe(limit)
    expect(savedAsAccepted).toEqual([])
  })
})
