/** Makes the keyring from the settings. Node only. */
import type { Log } from '../platform.ts'
import { readKeyFile, watchKeyFile } from './key-file.ts'
import { type BindKey, createKeyring, type Keyring } from './keyring.ts'

type KeySettings = { keys: BindKey[]; keysFile: string | undefined }

/** `stop` ends the watch of BIND_KEYS_FILE. */
export function openKeyring({ keys, keysFile }: KeySettings, log: Log): { keyring: Keyring; stop(): void } {
  if (keysFile === undefined) return { keyring: createKeyring(keys), stop() {} }
  const keyring = createKeyring(readKeyFile(keysFile))
  const { stop } = watchKeyFile(keysFile, keyring.replace, log)
  return { keyring, stop }
}
