/** WeChat's signature is the SHA-1 of the sorted strings. It proves only that the sender knows the callback's token. */
import { hash } from 'node:crypto'

/** The SHA-1 of the sorted and joined strings in lower-case hex, as in WeChat's `signature` and `msg_signature`. */
export function signatureOf(...parts: string[]): string {
  return hash('sha1', parts.sort().join(''))
}
