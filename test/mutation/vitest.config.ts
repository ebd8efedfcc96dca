/** The tests of the mutated files only, without a browser: the machine and its attempts are pure and run in Node as well. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'test/server/binding/{rules,intent,ticket,replies}.test.ts',
      'test/server/wechat/{message,crypt,event}.test.ts',
      'test/widget/{machine,attempt}.test.ts',
    ],
    expect: { requireAssertions: true },
  },
})
