/** Creates the dependencies of the console from the configuration. Node only. */
import type { Config } from '../config/config.ts'
import { VERSION } from '../config/version.ts'
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import type { ConsoleParts } from '../deps.ts'
import { doctorDeps } from '../doctor/doctor-deps.ts'
import { checkConfig } from '../doctor/run-checks.ts'
import { createOperators } from '../keys/operators.ts'
import { watchOperatorsFile } from '../keys/operators-file.ts'
import { sendTest } from '../outbound/webhook-test.ts'
import type { Fetch, Log, SetTimer } from '../platform.ts'
import { toHostNames } from './guards.ts'
import { readConsolePage } from './page-files.ts'

type Parts = Pick<ConsoleParts, 'hashOf' | 'nameOf' | 'tenants' | 'closing'> & {
  receivers: () => WebhookReceiver[]
  fetch: Fetch
  clock: () => number
  setTimer: SetTimer
  log: Log
}

/** `stop` ends the watch of CONSOLE_TOKENS_FILE. */
export function openConsoleParts(config: Config, parts: Parts): { console: ConsoleParts; stop(): void } {
  const { fetch, clock, setTimer, log, ...same } = parts
  const { operators: atStart, tokensFile, listen, allowedHosts } = config.console
  const operators = createOperators(atStart)
  const watch = tokensFile === undefined ? undefined : watchOperatorsFile(tokensFile, operators.replace, log)
  return {
    console: {
      ...same,
      operators,
      hostNames: toHostNames(listen?.host, allowedHosts),
      page: readConsolePage(),
      waitingLimit: config.waiters.inAll,
      sendTest: (receiver) => sendTest({ fetch, clock, setTimer }, receiver),
      runDoctor: () => checkConfig(config, { ...doctorDeps, fetch, clock, setTimer }),
      version: VERSION,
    },
    stop: () => watch?.stop(),
  }
}
