/**
 * The `state` of a web authorization: random bytes and a keyed hash of them, in hex, because WeChat allows only letters and
 * digits. Anybody can send a state, so the server refuses a forged state before it asks the store.
 */
import { randomBytes } from 'node:crypto'
import { equalInConstantTime } from '../crypto.ts'
import type { KeyedHash } from '../store/sql/tx-settings.ts'

export type OauthStates = {
  create(): string
  isGenuine(state: string): boolean
}

const RANDOM_BYTES = 32
const RANDOM_LENGTH = 2 * RANDOM_BYTES

// 64 bits are enough, because each guess costs a request.
const HASH_LENGTH = 16

export function createOauthStates(hashOf: KeyedHash): OauthStates {
  const hashFor = (random: string) =>
    Buffer.from(hashOf('genuine oauth state', random), 'base64url').toString('hex').slice(0, HASH_LENGTH)

  return {
    create() {
      const random = randomBytes(RANDOM_BYTES).toString('hex')
      return random + hashFor(random)
    },
    isGenuine: (state) => equalInConstantTime(state.slice(RANDOM_LENGTH), hashFor(state.slice(0, RANDOM_LENGTH))),
  }
}
