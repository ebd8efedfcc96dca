/** Runs the doctor and keeps its last report in the store, so that every instance shows it. */
import type { Deps } from '../deps.ts'
import { ACTION_LINE, type Session } from './sessions.ts'
import type { DoctorReport, Finding } from './wire.ts'

const NAME = 'doctor'

export function createDoctorReports({ store, clock, log, console: { runDoctor } }: Deps) {
  let running: Promise<DoctorReport> | undefined

  async function run({ name }: Session): Promise<DoctorReport> {
    const at = clock()
    await store.console.record({ at, operator: name, action: 'doctor', subject: null })
    log.info({ operator: name, action: 'doctor' }, ACTION_LINE)
    const findings = await runDoctor()
    const report = { at: clock(), by: name, findings }
    // A failure of the store is ignored here, because the report is most useful while the store fails.
    await store.console
      .saveReport(NAME, { at: report.at, operator: name, text: JSON.stringify(findings) })
      .catch(() => {})
    return report
  }

  return {
    /** Simultaneous requests share one run, because the checks call WeChat, which limits the calls per day. */
    run(session: Session): Promise<DoctorReport> {
      running ??= run(session).finally(() => {
        running = undefined
      })
      return running
    },
    async last(): Promise<DoctorReport> {
      const report = await store.console.report(NAME)
      if (!report) return { at: null, by: null, findings: [] }
      return { at: report.at, by: report.operator, findings: JSON.parse(report.text) as Finding[] }
    },
  }
}
