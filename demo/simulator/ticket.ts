/**
 * The bytes of a ticket, as found in published tickets: a prefix, the length of the rest, then three fields.
 *
 *     81 01 ?? ??                  prefix
 *     3c 00 00 00 00 00 00 00      60, the bytes that follow
 *     01 2e <46 bytes>             the url and a NUL
 *     02 04 <uint32 LE>            creation time, Unix seconds
 *     03 04 <uint32 LE>            lifetime in seconds, 0: permanent
 *
 * Neither the ticket nor the url contains the scene.
 */
import type { Random } from './account.ts'

const URL_LENGTH = 45

export function toTicket(url: string, createdAtSeconds: number, lifeSeconds: number, random: Random): string {
  if (url.length !== URL_LENGTH) throw new TypeError(`the url of a ticket has ${URL_LENGTH} characters`)
  const fields = Buffer.concat([
    field(1, Buffer.from(`${url}\0`)),
    field(2, uint32(createdAtSeconds)),
    field(3, uint32(lifeSeconds)),
  ])
  const length = Buffer.alloc(8)
  length.writeUInt32LE(fields.length)
  // Uses the standard base64 alphabet. A client that does not encode `+` and `/` in a URL therefore fails, as with
  // WeChat.
  return Buffer.concat([Buffer.from([0x81, 0x01]), random(2), length, fields]).toString('base64')
}

const field = (tag: number, value: Buffer) => Buffer.concat([Buffer.from([tag, value.length]), value])

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** The URL in the QR code: `http://weixin.qq.com/q/02` and 20 random characters. Only WeChat's scanner resolves it. */
export function toQrcodeUrl(random: Random): string {
  return `http://weixin.qq.com/q/02${random(15).toString('base64url')}`
}
