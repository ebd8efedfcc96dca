/** Runs only the tests of the mutated files. The tests of the element's machine need no browser, because the machine is pure. */
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
