/**
 * Records the requests of pages and back ends to the bind server. The demo has the keys, so it records the decrypted
 * requests.
 */
import type { Deps } from '../server/deps.ts'
import { openEnvelope } from '../server/keys/envelope.ts'
import type { BindKey } from '../server/keys/keyring.ts'
import { openToken } from '../server/keys/widget-token.ts'
import type { Identity } from '../server/store/store.ts'
import { type Fields, openMessage } from '../server/wechat/message.ts'
import { parseXml } from '../server/wechat/xml.ts'
import { toMessageXml } from './simulator/message.ts'
import type { TrafficLog, WireKind } from './simulator/traffic-log.ts'

type RequestRecorderDeps = {
  wire: TrafficLog
  deps: () => Deps
  clock: () => number
  /**
   * This value is set if the demo uses a real WeChat account. The callbacks are then recorded here, because there is no
   * simulator that records them.
   */
  isReal: boolean
}

type Decrypted = { text: string; identity?: Identity }

// The recorded headers are enough to read the request and to repeat it with curl.
const HEADERS = ['content-type', 'authorization', 'if-none-match', 'prefer', 'accept-language', 'origin']

const notDecrypted: Decrypted = { text: '' }

export function createRequestRecorder({ wire, deps, clock, isReal }: RequestRecorderDeps) {
  function kindOf(path: string): WireKind | undefined {
    if (path.startsWith('/widget/')) return 'browser'
    if (path.startsWith('/api/')) return 'api'
    return isReal && path === '/wechat/callback' ? 'callback' : undefined
  }

  async function decryptRequest(kind: WireKind, request: Request, raw: string): Promise<Decrypted> {
    const { keyring } = deps()
    if (kind === 'browser') {
      const bearer = request.headers.get('authorization')?.replace(/^Bearer /i, '') ?? ''
      const { key, ...claims } = await openToken<BindKey>(bearer, keyring.find, clock())
      return { text: pretty(claims), identity: toIdentity(key.tenant, claims) }
    }
    if (kind === 'callback') return { text: toMessageXml(decryptCallback(request, raw)) }
    const { text, header, key } = await openEnvelope<BindKey>(raw.trim(), undefined, keyring.find)
    const plaintext = JSON.parse(text)
    return { text: pretty({ header, plaintext }), identity: toIdentity(key.tenant, plaintext) }
  }

  function decryptCallback(request: Request, raw: string): Fields {
    return openMessage(deps().callback, new URL(request.url).searchParams, raw, clock()).fields
  }

  async function decryptReply(kind: WireKind, reply: string): Promise<string> {
    if (kind === 'browser') return ''
    if (kind === 'callback') return deps().callback.crypts[0]?.decrypt(parseXml(reply)?.Encrypt ?? '') ?? ''
    const { text, header } = await openEnvelope<BindKey>(reply.trim(), undefined, deps().keyring.find)
    return pretty({ header, plaintext: JSON.parse(text) })
  }

  /**
   * Runs `prepare` for the user of a request, and then forwards the request. A request that cannot be decrypted is
   * recorded as received.
   */
  return async (
    request: Request,
    prepare: (identity: Identity) => Promise<void>,
    forward: (request: Request) => Promise<Response>,
  ): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const kind = kindOf(pathname)
    if (!kind || request.method === 'OPTIONS') return forward(request)
    const at = clock()
    const raw = await request.clone().text()
    const opened = await decryptRequest(kind, request, raw).catch(() => notDecrypted)
    const headers = Object.fromEntries([...request.headers].filter(([name]) => HEADERS.includes(name)))
    const title = titleOf(kind, request, opened.text)
    const end = wire.begin({
      kind,
      at,
      title,
      method: request.method,
      url: request.url,
      headers,
      raw,
      opened: opened.text,
    })
    if (opened.identity) await prepare(opened.identity).catch(() => {})
    const response = await forward(request)
    const reply = response.status === 304 ? '' : await response.clone().text()
    end({
      tookMs: clock() - at,
      status: response.status,
      reply,
      replyOpened: await decryptReply(kind, reply).catch(() => ''),
      // Status 499 means that the page aborted its poll, for example because the tab was closed.
      fault:
        response.status < 400 || response.status === 499
          ? ''
          : (/"code":"(\w+)"/.exec(reply)?.[1] ?? `HTTP status ${response.status}`),
    })
    return response
  }
}

function titleOf(kind: WireKind, request: Request, opened: string): string {
  const { pathname } = new URL(request.url)
  if (kind === 'callback') return parseXml(opened)?.Event ?? 'callback'
  if (kind === 'api') return pathname.replace('/api/WeChat/', '')
  // A request with the header Prefer is a long-poll.
  return [pathname, request.headers.get('prefer')].filter(Boolean).join(' ')
}

const toIdentity = (tenant: string, { Account, User_ID }: { Account: string; User_ID: string }): Identity => ({
  tenant,
  account: Account,
  userId: User_ID,
})

const pretty = (value: unknown) => JSON.stringify(value, null, 2)
