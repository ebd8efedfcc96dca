import { fixtureCleanup } from '@open-wc/testing-helpers'
import { chaiA11yAxe } from 'chai-a11y-axe'
import { afterEach, chai } from 'vitest'

chai.use(chaiA11yAxe)
// Chromium reports offline on a machine whose only network is loopback. `setOnline` overrides this.
Object.defineProperty(Navigator.prototype, 'onLine', { configurable: true, get: () => true })
afterEach(fixtureCleanup)
