/**
 * Runs one of the peers: `node serve.mjs <name> [file]`. Without a file, it answers every message with the same text
 * and stores nothing. With a file, it binds the WeChat of each scan, and stores the binding in the file before it
 * answers.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'

/** Each peer imports only its own library. */
const load = async (name) => (await import(name)).default

const { WECHAT_TOKEN: token, WECHAT_APP_ID: appid, WECHAT_ENCODING_AES_KEY: encodingAESKey } = process.env
const isPlain = process.env.WECHAT_MODE === 'plain'
const TEXT = '已绑定“ab***@example.com”。\n不是您本人操作？回复“解绑”即可撤销。'
const [name, file] = process.argv.slice(2)
const bindings = file && (await import('./bindings.mjs')).openBindings(file)

const toText = ({ EventKey, FromUserName }) =>
  bindings && bindings.bind(EventKey, FromUserName) === undefined ? '此二维码已失效，绑定未作更改。' : TEXT

const peers = {
  /** The middleware of node-webot. */
  'wechat + connect': async () => {
    const [connect, query, wechat] = await Promise.all(['connect', 'connect-query', 'wechat'].map(load))
    return connect()
      .use(query())
      .use(
        '/wechat/callback',
        wechat(isPlain ? token : { token, appid, encodingAESKey, checkSignature: true }, (req, res) =>
          res.reply(toText(req.weixin)),
        ),
      )
  },

  'co-wechat + koa': async () => {
    const [Koa, coWechat] = await Promise.all(['koa', 'co-wechat'].map(load))
    return new Koa()
      .use(coWechat(isPlain ? { token } : { token, appid, encodingAESKey }).middleware(async () => TEXT))
      .callback()
  },

  /** This peer uses only a library for the encryption, and no WeChat framework. */
  'wechat-crypto + express': async () => {
    const [express, WXBizMsgCrypt, { parseStringPromise }] = await Promise.all(
      ['express', 'wechat-crypto', 'xml2js'].map(load),
    )
    const crypt = new WXBizMsgCrypt(token, encodingAESKey, appid)
    return express().post('/wechat/callback', express.text({ type: () => true }), async (req, res) => {
      const { timestamp, nonce, msg_signature: signature } = req.query
      const { Encrypt } = (await parseStringPromise(req.body, { explicitArray: false })).xml
      if (crypt.getSignature(timestamp, nonce, Encrypt) !== signature) return res.status(401).end()
      const { message } = crypt.decrypt(Encrypt)
      const { FromUserName, ToUserName, EventKey } = (await parseStringPromise(message, { explicitArray: false })).xml
      const text = toText({ EventKey, FromUserName })
      const now = Math.floor(Date.now() / 1000)
      const encrypted = crypt.encrypt(
        `<xml><ToUserName><![CDATA[${FromUserName}]]></ToUserName><FromUserName><![CDATA[${ToUserName}]]></FromUserName><CreateTime>${now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content></xml>`,
      )
      res.send(
        `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt><MsgSignature><![CDATA[${crypt.getSignature(String(now), nonce, encrypted)}]]></MsgSignature><TimeStamp>${now}</TimeStamp><Nonce><![CDATA[${nonce}]]></Nonce></xml>`,
      )
    })
  },

  'node-easywechat': async () => {
    const { OfficialAccount, ServerRequest } = await load('node-easywechat')
    return async (req, res) => {
      const app = new OfficialAccount({ app_id: appid, secret: 'secret', token, aes_key: encodingAESKey })
      app.setRequest(await ServerRequest.createFromIncomingMessage(req))
      const server = app.getServer()
      server.with(async () => TEXT)
      const response = await server.serve()
      res.end(String(response.getBody()))
    }
  },
}

// The libraries cause deprecation warnings of Node.
process.removeAllListeners('warning')
const server = createServer(await peers[name]()).listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send({ cpuUs: user + system, rss: process.memoryUsage.rss(), commits: bindings?.commits() ?? 0 })
})
process.on('disconnect', () => process.exit(1))
process.send({ url: `http://127.0.0.1:${server.address().port}` })
