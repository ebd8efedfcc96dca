/** Measures two minutes with 10,000 waiting pages and 500 callbacks per second: `npm run bench steady`. */
import { runSteadily } from './long-poll/steady.ts'

const [pages, perSecond, seconds] = [10_000, 500, 120]

console.log(`${pages} waiting pages and ${perSecond} callbacks a second for ${seconds} s:`)
const isSteady = await runSteadily(pages, perSecond, seconds)
console.log(isSteady ? '  steady' : '  NOT steady')
process.exit(isSteady ? 0 : 1)
