/** The generators of the steps and settings of a story. They determine how often each kind of step occurs. */
import fc from 'fast-check'
import { consoleActions } from '../model/console.ts'
import { oldMoods } from '../world/old-system.ts'
import { moods } from '../world/receiver.ts'
import { faults } from '../world/store.ts'
import { troubles } from '../world/wechat.ts'
import type { WorldSettings } from '../world/world.ts'
import { sayings } from './messages.ts'
import type { RequestStep } from './requests.ts'
import type { Step } from './step.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND

const at = fc.nat(1)
const user = fc.nat(3)
const phone = fc.nat(2)
const pick = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5))
const label = fc.nat(2)
const isTrue = fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false))
const isFalse = isTrue.map((is) => !is)
const saying = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('scan' as const, 'subscribe' as const) },
  fc.constantFrom(...sayings),
)
const fault = fc.record({ call: fc.nat(4), kind: fc.constantFrom(...faults) })

const as = <T extends Step>(arbitrary: fc.Arbitrary<T>) => arbitrary

const requests: fc.WeightedArbitrary<RequestStep>[] = [
  { weight: 12, arbitrary: fc.record({ do: fc.constant('say' as const), phone, what: saying, pick, at }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('qr' as const),
      user,
      page: fc.boolean(),
      refresh: fc.boolean(),
      label,
      at,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), message: fc.nat(8), at }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('look' as const, 'info' as const, 'infos' as const), user, at }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), user, at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('digits' as const), user, right: fc.boolean(), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('unbind' as const),
      user,
      by: fc.constantFrom('widget' as const, 'disconnect' as const, 'operator' as const),
      at,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('erase' as const, 'export' as const), user, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), call: fc.nat(5), at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('import' as const),
      lines: fc.array(fc.record({ user, phone, isOld: fc.boolean() }), { minLength: 1, maxLength: 4 }),
      conflict: fc.constantFrom('reject' as const, 'skip' as const, 'replace' as const, 'allow' as const),
      at,
    }),
  },
]

/** The steps of one tap. Most of them continue the latest authorization. */
const taps: fc.WeightedArbitrary<RequestStep>[] = [
  { weight: 3, arbitrary: fc.record({ do: fc.constant('authorize' as const), user, at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('come_back' as const),
      phone,
      pick,
      declines: isFalse,
      at,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('prove' as const),
      pick,
      other: isFalse,
      label,
      at,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('move' as const), isDryRun: fc.boolean(), at }),
  },
]

const who = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.constant(1))

const consoleRequests: fc.WeightedArbitrary<RequestStep>[] = [
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sign_in' as const), who, isRight: isTrue, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sign_out' as const), who, at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('console' as const),
      what: fc.constantFrom(...consoleActions),
      who,
      user,
      phone,
      isForged: isFalse,
      at,
    }),
  },
]

const request = fc.oneof(...requests, ...taps, ...consoleRequests)

const others: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 3,
    arbitrary: as(
      fc.record({
        do: fc.constantFrom('list' as const, 'feed' as const, 'feed_wait' as const),
        tenant: fc.nat(1),
        limit: fc.integer({ min: 1, max: 3 }),
        at,
      }),
    ),
  },
  {
    weight: 6,
    arbitrary: as(
      fc.record({
        do: fc.constant('race' as const),
        of: fc.array(request, { minLength: 2, maxLength: 2 }),
        order: fc.nat(),
      }),
    ),
  },
  { weight: 3, arbitrary: as(fc.record({ do: fc.constant('send' as const), phone, what: saying, pick })) },
  { weight: 1, arbitrary: as(fc.record({ do: fc.constant('guess' as const), user, at })) },
  { weight: 1, arbitrary: as(fc.record({ do: fc.constant('overtake' as const), user, other: user, phone, at })) },
  {
    weight: 1,
    arbitrary: as(
      fc.record({
        do: fc.constant('late' as const),
        what: fc.constantFrom('unfollow' as const, 'scan' as const),
        user,
        phone,
        at,
      }),
    ),
  },
  {
    weight: 7,
    arbitrary: as(
      fc.record({
        do: fc.constant('pass' as const),
        ms: fc.oneof(
          { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 * SECOND }) },
          { weight: 3, arbitrary: fc.integer({ min: 30 * SECOND, max: 700 * SECOND }) },
          { weight: 1, arbitrary: fc.constantFrom(HOUR, 26 * HOUR, 8 * 24 * HOUR, 92 * 24 * HOUR) },
        ),
      }),
    ),
  },
  { weight: 1, arbitrary: as(fc.record({ do: fc.constant('hang_up' as const), user })) },
  {
    weight: 2,
    arbitrary: as(
      fc.record({
        do: fc.constant('wechat' as const),
        trouble: fc.oneof(fc.constant('up' as const), fc.constantFrom(...troubles)),
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: as(
      fc.record({
        do: fc.constant('receiver' as const),
        mood: fc.oneof(fc.constant('accepts' as const), fc.constantFrom(...moods)),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: as(fc.record({ do: fc.constant('old_system' as const), mood: fc.constantFrom(...oldMoods) })),
  },
  { weight: 1, arbitrary: as(fc.record({ do: fc.constantFrom('crash' as const, 'restart' as const), at })) },
  {
    weight: 1,
    arbitrary: as(
      fc.record({ do: fc.constant('disk' as const), at, isDown: fc.oneof(fc.constant(false), fc.boolean()) }),
    ),
  },
]

const faulty = fc.tuple(request, fault).map(([step, fault]): Step => ({ ...step, fault }))

/** Every kind of step. Add a new kind here, to `Step`, and to `take`. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 36, arbitrary: request as fc.Arbitrary<Step> },
  { weight: 4, arbitrary: faulty },
  ...others,
)

export const anySettings: fc.Arbitrary<WorldSettings> = fc.record({
  conflict: fc.constantFrom('reject' as const, 'replace' as const, 'allow' as const),
  confirm: fc.constantFrom('off' as const, 'reply' as const, 'code' as const),
  unsubscribe: fc.constantFrom('unbind' as const, 'mark' as const),
  instances: fc.constantFrom(1, 2),
  hasWebhook: fc.boolean(),
  hasUnionid: fc.boolean(),
  hasOauth: fc.boolean(),
  ready: fc.constantFrom(0, 2),
  forward: fc.constantFrom('off' as const, 'retry' as const, 'hide' as const),
  forwardsAll: fc.boolean(),
})
