/**
 * Measures the limit for a secure callback. This program does only the work that an answer requires. It uses
 * node:http without a framework. For each scan it computes SHA-1, AES and XML once for the message and once for the
 * reply, and writes one row in SQLite. As in the bind server, all scans in one turn of the event loop share one
 * transaction and one sync. The row contains only what a binding needs. It can be found by its openid.
 *
 * It checks the signature, but not the time, the replay and the ticket. It has no log, no metrics and no events, and it
 * has no request that reads a user.
 *
 * With the second argument `all`, it reads and writes the rows that a scan needs in this server's tables instead
 * (`limit-rows.ts`). The difference is the cost of these rows without any code of this server.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hash, randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { fdatasync, openSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { addAllRows, addOneRow } from './limit-rows.ts'
import { reportUsage } from './report-usage.ts'

const { WECHAT_TOKEN: token = '', WECHAT_APP_ID: appId = '', WECHAT_ENCODING_AES_KEY: encodingAesKey } = process.env
const [file = '', rows] = process.argv.slice(2)
const TEXT = '已绑定“ab***@example.com”。\n不是您本人操作？回复“解绑”即可撤销。'

const keyBytes = Buffer.from(`${encodingAesKey}=`, 'base64')
const key = createSecretKey(keyBytes)
const iv = keyBytes.subarray(0, 16)
// Only the first block depends on the previous message, and this block contains only random bytes.
const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
const random = Buffer.alloc(16)

const between = (text: string, start: string, end: string) => {
  const from = text.indexOf(start) + start.length
  return text.slice(from, text.indexOf(end, from))
}
const sign = (...parts: string[]) => hash('sha1', parts.sort().join(''))

function decrypt(encrypted: string): string {
  const plain = decipher.update(encrypted, 'base64')
  return plain.toString('utf8', 20, 20 + plain.readUInt32BE(16))
}

function encrypt(message: string): string {
  const length = 20 + Buffer.byteLength(message) + appId.length
  const pad = 32 - (length % 32)
  const plain = Buffer.alloc(length + pad, pad)
  randomFillSync(random).copy(plain)
  plain.writeUInt32BE(Buffer.byteLength(message), 16)
  plain.write(message + appId, 20)
  return createCipheriv('aes-256-cbc', key, iv).update(plain).toString('base64')
}

const db = new DatabaseSync(file)
db.exec('pragma journal_mode = wal; pragma synchronous = normal')
const add = rows === 'all' ? addAllRows(db, appId) : addOneRow(db)
const [begin, commit] = [db.prepare('begin'), db.prepare('commit')]
const wal = openSync(`${file}-wal`, 'r+')
let commits = 0

type Scan = { response: ServerResponse; openid: string; scene: string; reply: string }
let scans: Scan[] = []

/** Commits the scans of this turn, and answers them when the log has been synced. */
function bindAll(): void {
  const group = scans
  scans = []
  begin.run()
  for (const { openid, scene } of group) add(openid, scene)
  commit.run()
  commits++
  fdatasync(wal, () => {
    for (const { response, reply } of group) response.end(reply)
  })
}

function take(url: string, body: string, response: ServerResponse): void {
  const encrypted = between(body, '<Encrypt><![CDATA[', ']]>')
  const nonce = between(url, '&nonce=', '&')
  const signature = sign(token, between(url, '&timestamp=', '&'), nonce, encrypted)
  if (!url.includes(`msg_signature=${signature}`)) return void response.writeHead(403).end()
  const message = decrypt(encrypted)
  const openid = between(message, '<FromUserName><![CDATA[', ']]>')
  const now = String(Math.floor(Date.now() / 1000))
  const sealed = encrypt(
    `<xml><ToUserName><![CDATA[${openid}]]></ToUserName><FromUserName><![CDATA[${between(message, '<ToUserName><![CDATA[', ']]>')}]]></FromUserName><CreateTime>${now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${TEXT}]]></Content></xml>`,
  )
  const reply = `<xml><Encrypt><![CDATA[${sealed}]]></Encrypt><MsgSignature><![CDATA[${sign(token, now, nonce, sealed)}]]></MsgSignature><TimeStamp>${now}</TimeStamp><Nonce><![CDATA[${nonce}]]></Nonce></xml>`
  response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': reply.length })
  if (scans.push({ response, openid, scene: between(message, '<EventKey><![CDATA[', ']]>'), reply }) === 1) {
    setImmediate(bindAll)
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => take(request.url!, Buffer.concat(chunks).toString(), response))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
reportUsage({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, () => commits)
