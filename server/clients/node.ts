/** `wechat-bind/client` on Node. Node 18 has no global `crypto`, which the client and jose use, so this module provides it. Node only. */
import { webcrypto } from 'node:crypto'

if (!globalThis.crypto) Object.defineProperty(globalThis, 'crypto', { value: webcrypto, configurable: true })

export * from '../client.ts'
