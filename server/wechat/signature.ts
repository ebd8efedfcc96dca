/** WeChat's signature: the SHA-1 of the sorted strings. It proves that the sender knows the callback's token, and nothing else. */
import { hash } from 'node:crypto'

/** Lower-case hex of SHA-1 over the strings, sorted and joined: WeChat's `signature` and `msg_signature`. */
export function signatureOf(...parts: string[]): string {
  return hash('sha1', parts.sort().join(''))
}
