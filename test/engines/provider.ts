/** Runs Vitest's browser tests in any engine: a tab of its driver opens the page of the tests. */
import { defineBrowserProvider } from '@vitest/browser'
import type { Driver, Session } from '../support/driver.ts'
import { type EngineName, openEngine } from './engines.ts'

export const inEngine = (name: EngineName) =>
  defineBrowserProvider({
    name: 'engine',
    supportedBrowser: [name],
    options: {},
    providerFactory(project) {
      // Vitest sets the size of the page before each file. The tests of the element do not depend on it.
      project.browser!.registerCommand('__vitest_viewport' as never, (async () => {}) as never)
      let driver: Promise<Driver> | undefined
      const sessions: Session[] = []
      return {
        name: 'engine',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(_id, url) {
          driver ??= openEngine(name)
          const session = await (await driver).startSession()
          sessions.push(session)
          await (await session.openTab()).goto(url)
        },
        async close() {
          for (const session of sessions.splice(0)) await session.close()
          await (await driver)?.close()
          driver = undefined
        },
      }
    },
  })
