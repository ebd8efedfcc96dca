/** `wechat-bind doctor`: checks the environment and prints the findings. Exits with 0 unless a finding is `wrong`. Node only. */
import { USER_AGENT } from '../config/version.ts'
import { doctorDeps } from '../doctor/doctor-deps.ts'
import { exitCodeOf } from '../doctor/finding.ts'
import { toJson, toText } from '../doctor/report.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { createOutgoingFetch, withUserAgent } from '../http/outgoing-fetch.ts'
import { systemTimer } from '../platform.ts'
import { readArguments } from './arguments.ts'

export async function runDoctor(args: string[]): Promise<void> {
  const { values } = readArguments(args, {
    usage: 'wechat-bind doctor [--json] [--webhooks]',
    options: { json: { type: 'boolean', default: false }, webhooks: { type: 'boolean', default: false } },
  })
  const findings = await runChecks(process.env, {
    fetch: withUserAgent(createOutgoingFetch(), USER_AGENT),
    clock: Date.now,
    setTimer: systemTimer,
    ...doctorDeps,
    sendsWebhooks: values.webhooks,
  })
  const text = values.json ? toJson(findings) : toText(findings)
  // `exit` is needed, because an open connection would keep the process running.
  process.stdout.write(text, () => process.exit(exitCodeOf(findings)))
}
