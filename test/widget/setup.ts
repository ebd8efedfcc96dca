import { fixtureCleanup } from '@open-wc/testing-helpers'
import { chaiA11yAxe } from 'chai-a11y-axe'
import { afterEach, chai } from 'vitest'

chai.use(chaiA11yAxe)
// On a machine whose only network is loopback, Chromium reports that it is offline. `setOnline` overrides this value.
Object.defineProperty(Navigator.prototype, 'onLine', { configurable: true, get: () => true })
afterEach(fixtureCleanup)
