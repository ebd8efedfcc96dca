/** Runs the Next.js example: `npm run test:next`. It is not part of `npm test`, because it installs and builds Next.js, which takes about a minute. */
import { defineConfig } from 'vitest/config'
import { expectOptions } from '../../support/expect-options.ts'

export default defineConfig({
  test: {
    include: ['test/widget/next/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: expectOptions,
  },
})
