/**
 * The steps of a story as plain data. A step is an action of a user, a back end, an operator or WeChat, a fault of the
 * store, or a period of time.
 */
import fc from 'fast-check'
import type { Story } from '../story.ts'
import { moods } from '../world/receiver.ts'
import { type Fault, faults } from '../world/store.ts'
import { type Trouble, troubles } from '../world/wechat.ts'
import type { WorldSettings } from '../world/world.ts'
import { type Exchange, keyOf } from './exchange.ts'
import { sayings, toMessage } from './messages.ts'
import { feedPage, listPage, type ReaderStep } from './readers.ts'
import { type RequestStep, toExchange } from './requests.ts'

export type Step =
  | (RequestStep & { fault?: Fault })
  /** Several requests at the same time. `order` is the seed for the order of their calls to the store. */
  | { do: 'race'; of: RequestStep[]; order: number; fault?: Fault }
  /** A WeChat user does something, and WeChat delivers the message later or never. */
  | { do: 'send'; phone: number; what: (typeof sayings)[number]; pick: number }
  /** A back end reads one page of all bindings, or of all events. */
  | ReaderStep
  | { do: 'pass'; ms: number }
  /** Closes a page that waits. */
  | { do: 'hang_up'; user: number }
  | { do: 'wechat'; trouble: Trouble }
  | { do: 'receiver'; mood: (typeof moods)[number] }
  | { do: 'crash' | 'restart'; at: number }
  | { do: 'disk'; at: number; isDown: boolean }

const SECOND = 1000
const HOUR = 3600 * SECOND

export async function take(story: Story, step: Step): Promise<void> {
  const { world } = story
  switch (step.do) {
    case 'race':
      return story.request(toExchanges(story, step.of), step)
    case 'send': {
      const sent = toMessage(world, story.model(), step)
      if (sent) world.send(sent)
      return
    }
    case 'list':
      return listPage(story, step)
    case 'feed':
      return feedPage(story, step)
    case 'pass':
      return pass(story, step.ms)
    case 'hang_up': {
      const page = world.pages.find(({ key }) => key === keyOf(step))
      page?.hangUp()
      world.pages = world.pages.filter((each) => each !== page)
      return
    }
    case 'wechat':
      // A slow WeChat answers all open requests before the next step.
      world.wechat.setTrouble(world.wechat.trouble() === 'slow' ? 'up' : step.trouble)
      return story.settle()
    case 'receiver':
      world.receiver.setMood(step.mood)
      return
    case 'crash':
      world.at(step.at).kill()
      return story.settle()
    case 'restart': {
      const instance = world.at(step.at)
      // A server must answer every waiting page when it stops.
      for (const page of world.pages) if (page.instance === instance) page.until = 0
      await instance.stop()
      return story.settle()
    }
    case 'disk':
      world.at(step.at).view.setDown(step.isDown)
      if (step.isDown) story.told.isDisturbed = true
      return story.settle()
    default: {
      const exchanges = toExchanges(story, [step])
      if (exchanges.length > 0) await story.request(exchanges, step)
    }
  }
}

/** Skips a request for a QR code while another request of the same user waits for WeChat. */
function toExchanges(story: Story, steps: RequestStep[]): Exchange[] {
  return steps.flatMap((step) => {
    const exchange = toExchange(story.world, story.model(), step)
    return exchange && !(exchange.only !== undefined && story.isWaiting(exchange.only)) ? [exchange] : []
  })
}

export async function pass(story: Story, ms: number): Promise<void> {
  const { world } = story
  world.time.jump(ms)
  // A timer may set another timer, for example the timer for the waiting pages.
  for (let rounds = 0; rounds < 3 && world.time.fire(); rounds++) await world.settle()
  await story.settle()
}

// The generators of the steps

const at = fc.nat(1)
const user = fc.nat(3)
const phone = fc.nat(2)
const pick = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5))
const label = fc.nat(2)
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
      declines: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
      at,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('prove' as const),
      pick,
      other: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
      label,
      at,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('move' as const), isDryRun: fc.boolean(), at }),
  },
]

const request = fc.oneof(...requests, ...taps)

const others: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 3,
    arbitrary: as(
      fc.record({
        do: fc.constantFrom('list' as const, 'feed' as const),
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
})
