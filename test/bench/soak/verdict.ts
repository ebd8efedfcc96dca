/** Compares the samples from the second half of a soak with the allowed bounds. These functions are pure. */
import type { Line } from '../support/report.ts'
import { median, slope } from '../support/statistics.ts'
import type { Sample } from './sample.ts'

/*
 * The bounds for the growth from the middle to the end of the run, as a share of the median. The growth is computed
 * from the slope of the least-squares line. This is the bound for the heap after a collection: because of open
 * requests, samples differ by 1 to 2 %. Over half an hour, a growth of 3 % of 40 MB is about 10 bytes for each request.
 */
const HEAP = 0.03
// Between two collections, the memory changes by a fifth. Therefore the slope varies by 2 to 3 % even without a leak.
const MEMORY = 0.06
// A file of SQLite never gets smaller. Its size depends on the highest number of rows so far.
const DATABASE = 0.03
const ROWS = 0.06
// The number of rows may differ by this value between two samples, because the sweep runs only once a minute.
const FEW_ROWS = 100
// The numbers of pages and requests are random.
const IN_FLIGHT = 0.1
// The log may grow with the number of requests, but not faster.
const LOG = 0.05

const MIB = 1024 * 1024

export function judge(samples: Sample[]): Line[] {
  const second = samples.slice(Math.floor(samples.length / 2))
  const quarters = [second.slice(0, second.length / 2), second.slice(second.length / 2)]
  const of = (value: (sample: Sample) => number) => second.map(value)
  const heaps = second.flatMap(({ heap }) => heap ?? [])
  const inFlight = ({ descriptors: { clients, outgoing, database } }: Sample) => clients + outgoing + database
  const fixed = of(({ descriptors }) => descriptors.fixed.length)
  const spread = Math.max(...fixed) - Math.min(...fixed)
  const [fewest, most] = [Math.min, Math.max].map((extreme) => second[fixed.indexOf(extreme(...fixed))]!.descriptors)
  const [third = 0, fourth = 0] = quarters.map((quarter) => bytesPerCallback(quarter))
  const wals = quarters.map((quarter) => Math.max(...quarter.map(({ wal }) => wal)))
  return [
    sizeLine('heap after a garbage collection', heaps, HEAP),
    sizeLine(
      'memory of the process (RssAnon)',
      of(({ memory }) => memory),
      MEMORY,
    ),
    sizeLine(
      'database',
      of(({ database }) => database),
      DATABASE,
    ),
    {
      what: 'write-ahead log, longest in the third and the fourth quarter',
      value: wals.map((bytes) => `${toMib(bytes)} MiB`).join(', '),
      number: wals[1]! / wals[0]!,
      goal: { text: 'at most 1.5 times', atMost: 1.5 },
    },
    {
      what: 'log file, bytes for each callback',
      value: `${Math.round(third)}, ${Math.round(fourth)}`,
      number: fourth / third - 1,
      goal: { text: `at most ${percent(LOG)} more`, atMost: LOG },
    },
    {
      what: 'descriptors without those of requests, lowest and highest',
      value: `${fewest!.fixed.length}, ${most!.fixed.length}${difference(most!.fixed, fewest!.fixed)}`,
      number: spread,
      goal: { text: 'equal', atMost: 0 },
    },
    changeLine('descriptors of requests', of(inFlight), IN_FLIGHT, 10),
    ...Object.keys(second[0]!.rows).map((table) =>
      changeLine(
        `rows of ${table}`,
        of(({ rows }) => rows[table]!),
        ROWS,
        FEW_ROWS,
      ),
    ),
  ]
}

const sizeLine = (what: string, values: number[], atMost: number): Line => {
  const share = growth(values) / median(values)
  return {
    what,
    value: `${toMib(median(values))} MiB, ${percent(share)}`,
    number: share,
    goal: { text: `at most ${percent(atMost)}`, atMost },
  }
}

/** Returns the elements of `more` that `fewer` does not contain. */
function difference(more: string[], fewer: string[]): string {
  const rest = [...fewer]
  const added = more.filter((name) => !rest.includes(name) || rest.splice(rest.indexOf(name), 1).length === 0)
  return added.length === 0 ? '' : ` (${added.join(', ')})`
}

/** The check for counts: a count may grow by the share or by `few`. */
const changeLine = (what: string, values: number[], share: number, few: number): Line => {
  const most = Math.max(few, share * median(values))
  return {
    what,
    value: `${median(values)}, ${Math.round(growth(values))} more`,
    number: growth(values),
    goal: { text: `at most ${Math.round(most)} more`, atMost: most },
  }
}

/** Returns the growth from the first to the last value, computed with the least-squares line. */
const growth = (values: number[]) => (values.length < 2 ? Number.NaN : slope(values) * (values.length - 1))

function bytesPerCallback(samples: Sample[]): number {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  return (last.log - first.log) / (last.callbacks - first.callbacks)
}

export const toMib = (bytes: number) => (bytes / MIB).toFixed(1)

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
