/** The bin's command `doctor`: examines the environment, prints what it found and ends with 0 when nothing is wrong. NODE. */
import { parseArgs } from 'node:util'
import { examine } from '../doctor/examination.ts'
import { exitCodeOf } from '../doctor/finding.ts'
import { toJson, toText } from '../doctor/report.ts'
import { lookAtStore } from '../doctor/store-look.ts'
import { readKeyFile } from '../keys/key-file.ts'

function setTimer(end: () => void, ms: number): () => void {
  const timer = setTimeout(end, ms)
  return () => clearTimeout(timer)
}

export async function runDoctor(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } })
  const findings = await examine(process.env, { fetch, clock: Date.now, setTimer, lookAtStore, readKeyFile })
  const text = values.json ? toJson(findings) : toText(findings)
  // Ends by itself: a connection that still hangs must not keep the process.
  process.stdout.write(text, () => process.exit(exitCodeOf(findings)))
}
