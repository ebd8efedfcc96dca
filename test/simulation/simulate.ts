/** Generates stories from a seed, plays them, and shortens a story that fails. */
import fc from 'fast-check'
import { finish } from './finish.ts'
import { anySettings, anyStep } from './steps/any-step.ts'
import { type Step, take } from './steps/step.ts'
import { beginStory, type Story } from './story.ts'
import type { Database } from './world/store.ts'
import { useSyncCrypto } from './world/sync-crypto.ts'
import type { WorldSettings } from './world/world.ts'

/** A story as plain data. `chance` is the seed of all random values while the story is played. */
export type Recorded = { settings: WorldSettings; chance: number; steps: Step[] }

class StepCommand implements fc.AsyncCommand<Story, Story> {
  readonly step: Step

  constructor(step: Step) {
    this.step = step
  }

  check(): boolean {
    return true
  }

  async run(story: Story): Promise<void> {
    await take(story, this.step)
  }

  toString(): string {
    return JSON.stringify(this.step)
  }
}

/** Plays the steps in a new world. Throws if a check fails. Returns the number of steps. */
async function play(
  database: Database,
  { settings, chance }: Omit<Recorded, 'steps'>,
  commands: Iterable<fc.AsyncCommand<Story, Story>>,
): Promise<void> {
  const restore = useSyncCrypto()
  const [scheduler] = fc.sample(fc.scheduler(), { seed: chance, numRuns: 1 })
  const story = await beginStory({ database, settings, random: createRandom(chance) })
  try {
    await fc.scheduledModelRun(scheduler!, () => ({ model: story, real: story }), commands)
    await finish(story)
  } finally {
    story.world.close()
    restore()
  }
}

/** Returns a generator of random numbers from 0 to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Plays a recorded story. */
export const replay = (database: Database, { steps, ...rest }: Recorded): Promise<void> =>
  play(
    database,
    rest,
    steps.map((step) => new StepCommand(step)),
  )

/** `isQuick` means that a failing story is not shortened. */
export type Run = { seed: number; steps: number; sequences: number; isQuick?: boolean }

/** `number` is the number of the first story that failed. `story` is the shortest version of it that fails. */
export type Found = { seed: number; number: number; message: string; story: Recorded }

/** Plays stories of up to `steps` steps. If a story fails, `found` is its shortest version. */
export async function simulate(
  database: Database,
  { seed, steps, sequences, isQuick = false }: Run,
): Promise<{ stepsTaken: number; found?: Found }> {
  let stepsTaken = 0
  const anyCommand = anyStep.map((step) => new StepCommand(step))
  const property = fc.asyncProperty(
    anySettings,
    fc.integer(),
    fc.commands<Story, Story, false>([anyCommand], { maxCommands: steps, size: 'max' }),
    async (settings, chance, commands) => {
      await play(database, { settings, chance }, commands)
      stepsTaken += [...commands].length
    },
  )
  const details = await fc.check(property, { seed, numRuns: sequences, endOnFailure: isQuick })
  if (!details.failed) return { stepsTaken }
  const [settings, chance, commands] = details.counterexample!
  const ran = String(commands)
  const story = { settings, chance, steps: toSteps(ran) }
  const message = details.errorInstance instanceof Error ? details.errorInstance.message : 'interrupted'
  return { stepsTaken, found: { seed, number: details.numRuns, message, story } }
}

/** The text of fast-check's commands contains the JSON of each command that was run. */
const toSteps = (text: string): Step[] => JSON.parse(`[${text.replace(/\s*\/\*.*$/, '')}]`)

/** Returns the message of a failure, and the story as code for stories.ts. */
export function show({ seed, number, message, story: { settings, chance, steps } }: Found): string {
  const lines = steps.map((step) => `    ${JSON.stringify(step)},`)
  const story = [`  settings: ${JSON.stringify(settings)},`, `  chance: ${chance},`, '  steps: [', ...lines, '  ],']
  return [`seed ${seed}: ${message}`, '', `found in story ${number}:`, '{', ...story, '}'].join('\n')
}
