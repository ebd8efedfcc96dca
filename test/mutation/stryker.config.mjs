/**
 * Configures StrykerJS for the pure rules of the server and of the element: `npm run mutation`. README.md explains the
 * mutants that survive.
 */

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: [
    'server/binding/{rules,decision,confirmation-rules,intent,ticket,replies}.ts',
    'server/wechat/{message,crypt,event}.ts',
    'widget/{machine,effect,state,attempt}.ts',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // This file must not exist. Stryker would rewrite an existing file with the API of TypeScript, and TypeScript 7 has
  // no such API.
  tsconfigFile: 'none.json',
  ignorePatterns: ['/dist', '/data', '/coverage', '/reports', '/demo', '/deploy', '/docs'],
  reporters: ['progress', 'clear-text', 'html', 'json'],
  htmlReporter: { fileName: 'reports/mutation/index.html' },
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  clearTextReporter: { reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
}
