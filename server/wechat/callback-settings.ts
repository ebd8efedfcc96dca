/** The settings by which a callback of WeChat is verified and decrypted. */
import { createCrypt } from './crypt.ts'
import type { CallbackSettings } from './message.ts'

type Account = Omit<CallbackSettings, 'crypts'> & { appId: string; encodingAesKeys: string[] }

export const toCallbackSettings = ({ mode, token, originalId, encodingAesKeys, appId }: Account): CallbackSettings => ({
  mode,
  token,
  originalId,
  crypts: encodingAesKeys.map((key) => createCrypt(key, appId)),
})
