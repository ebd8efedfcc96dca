import type { Story } from '../story.ts'
import type { OldMood } from '../world/old-system.ts'
import type { moods } from '../world/receiver.ts'
import type { Fault } from '../world/store.ts'
import type { Trouble } from '../world/wechat.ts'
import { type Exchange, keyOf } from './exchange.ts'
import { feedPage, feedWait } from './feed.ts'
import { type sayings, toMessage } from './messages.ts'
import { listPage, type ReaderStep } from './readers.ts'
import { type RequestStep, toExchange } from './requests.ts'

export type Step =
  | (RequestStep & { fault?: Fault })
  /** Several requests at the same time. `order` is the seed for the order of their calls to the store. */
  | { do: 'race'; of: RequestStep[]; order: number; fault?: Fault }
  /** A page sends wrong digits three times. */
  | { do: 'guess'; user: number; at: number }
  /** While the scan of a page waits for its confirmation, an operator binds the same WeChat to another user. */
  | { do: 'overtake'; user: number; other: number; phone: number; at: number }
  /** A message of WeChat arrives after a newer one: an unfollow after the next binding, or a scan after the next unfollow. */
  | { do: 'late'; what: 'unfollow' | 'scan'; user: number; phone: number; at: number }
  /** A WeChat user does something, and WeChat delivers the message later or never. */
  | { do: 'send'; phone: number; what: (typeof sayings)[number]; pick: number }
  /** A back end reads one page of all bindings, or of all events. */
  | ReaderStep
  | { do: 'pass'; ms: number }
  /** Closes a page that waits. */
  | { do: 'hang_up'; user: number }
  | { do: 'wechat'; trouble: Trouble }
  | { do: 'receiver'; mood: (typeof moods)[number] }
  /** Changes the behaviour of the system at `FORWARD_URL`. */
  | { do: 'old_system'; mood: OldMood }
  | { do: 'crash' | 'restart'; at: number }
  | { do: 'disk'; at: number; isDown: boolean }

export async function take(story: Story, step: Step): Promise<void> {
  const { world } = story
  switch (step.do) {
    case 'race':
      return story.request(toExchanges(story, step.of), step)
    case 'guess':
      for (let i = 0; i < 3; i++) await take(story, { do: 'digits', user: step.user, right: false, at: step.at })
      return
    case 'overtake':
      for (const each of overtake(step)) await take(story, each)
      return
    case 'late':
      for (const each of late(step)) await take(story, each)
      return
    case 'send': {
      const sent = toMessage(world, story.model(), step)
      if (sent) world.send(sent)
      return
    }
    case 'list':
      return listPage(story, step)
    case 'feed':
      return feedPage(story, step)
    case 'feed_wait':
      return feedWait(story, step)
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
    case 'old_system':
      world.old.setMood(step.mood)
      return
    case 'crash':
      world.at(step.at).kill()
      return story.settle()
    case 'restart': {
      const instance = world.at(step.at)
      // A server must answer every waiting page when it stops.
      for (const waiting of [...world.pages, ...world.readers]) if (waiting.instance === instance) waiting.until = 0
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

const overtake = ({ user, other, phone, at }: Extract<Step, { do: 'overtake' }>): RequestStep[] => [
  { do: 'qr', user, page: false, refresh: true, label: 0, at },
  { do: 'say', phone, what: 'scan', pick: 0, at },
  { do: 'import', lines: [{ user: other, phone, isOld: false }], conflict: 'reject', at },
  { do: 'digits', user, right: true, at },
  { do: 'say', phone, what: 'confirm', pick: 0, at },
]

function late({ what, user, phone, at }: Extract<Step, { do: 'late' }>): Step[] {
  const qr: Step = { do: 'qr', user, page: false, refresh: true, label: 0, at }
  const sent: Step[] = [
    { do: 'send', phone, what, pick: 0 },
    { do: 'pass', ms: 2_000 },
  ]
  const say = (what: 'subscribe' | 'confirm' | 'unfollow'): Step => ({ do: 'say', phone, what, pick: 0, at })
  if (what === 'scan') return [qr, ...sent, say('unfollow'), { do: 'deliver', message: 1, at }]
  const confirmed: Step[] = [{ do: 'digits', user, right: true, at }, say('confirm')]
  return [qr, ...sent, say('subscribe'), ...confirmed, { do: 'deliver', message: 2, at }]
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
