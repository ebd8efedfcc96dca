/** Published test vectors of WeChat's callback protocol. The field `source` names where each vector was published. */
import { readFileSync } from 'node:fs'

type Vector = {
  id: string
  token: string
  encodingAesKey: string
  appId: string
  timestamp: string
  nonce: string
  signature?: string
  msgSignature?: string
  echostr?: string
  random?: string
  encrypted?: string
  plaintext?: string
  padLength?: number
}

export const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../vectors/wechat-vectors.json', import.meta.url), 'utf8'),
)
