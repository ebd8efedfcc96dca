/** The engine in which a test file runs: the one of the Vitest project, otherwise Chromium. */
import { afterAll, beforeAll, inject } from 'vitest'
import { type EngineName, engines, openEngine } from '../engines/engines.ts'
import type { Ability, Driver } from '../support/driver.ts'

declare module 'vitest' {
  interface ProvidedContext {
    engine: EngineName | undefined
  }
}

const name = () => inject('engine') ?? 'chromium'

export function isAble(ability: Ability): boolean {
  const engine = engines[name()]()
  return 'lacks' in engine && !engine.lacks.includes(ability)
}

/** One browser for all tests of a file. */
export function useDriver() {
  let driver: Driver
  beforeAll(async () => {
    driver = await openEngine(name())
  })
  afterAll(() => driver?.close())
  return {
    get current() {
      return driver
    },
  }
}
