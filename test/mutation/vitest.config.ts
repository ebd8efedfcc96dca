/**
 * Runs only the tests of the mutated files. The tests of the element's state machine need no browser, because the state
 * machine consists of pure functions.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'test/server/binding/{rules,intent,ticket,replies}.test.ts',
      'test/server/wechat/{message,crypt,event}.test.ts',
      'test/widget/{machine,effect,attempt}.test.ts',
    ],
    expect: { requireAssertions: true },
  },
})
