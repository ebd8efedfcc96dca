/**
 * The bytes of a ticket, as found in published ones: a mark, the length of what follows, then three fields.
 *
 *     81 01 ?? ??                  mark
 *     3c 00 00 00 00 00 00 00      60, the bytes that follow
 *     01 2e <46 bytes>             the url and a NUL
 *     02 04 <uint32 LE>            made at, Unix seconds
 *     03 04 <uint32 LE>            life in seconds, 0: for ever
 *
 * The scene is in neither ticket nor url: WeChat keeps it to itself.
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
  // The standard alphabet, so that a client that forgets to encode `+` and `/` for a URL is found out.
  return Buffer.concat([Buffer.from([0x81, 0x01]), random(2), length, fields]).toString('base64')
}

const field = (tag: number, value: Buffer) => Buffer.concat([Buffer.from([tag, value.length]), value])

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** `http://weixin.qq.com/q/02` and 20 random characters: what the QR encodes. Only WeChat's scanner understands it. */
export function toQrcodeUrl(random: Random): string {
  return `http://weixin.qq.com/q/02${random(15).toString('base64url')}`
}
