/** The encrypted API for back ends: the calls about one binding. `data-api.ts` has the calls about many bindings. */
import { parseShape, requestSchemas } from '../api/request-schemas.ts'
import { unbind } from '../binding/unbind.ts'
import { toBindInfo } from '../binding/view.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import type { ApiHandler, EncryptedEndpoint } from '../http/encrypted-endpoint.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { toIdentity } from '../store/identity.ts'
import type { TicketWithQr } from '../store/store.ts'

// The longest valid request is 4 KiB: three texts of 128 characters, escaped, in base64url.
const MAX_BODY = 16 * 1024

export function encryptedApiEndpoints(deps: Deps, endpoint: EncryptedEndpoint): Endpoint[] {
  const { store, tickets, clock } = deps

  const getQrCode: ApiHandler = async ({ tenant, plaintext }) => {
    const { IsRefresh: isRefresh, Label, ...ids } = parseShape(requestSchemas.GetQrCode, plaintext)
    const identity = toIdentity(tenant, ids)
    const { lang } = deps.events
    const ticket = await tickets({ identity, isRefresh, label: Label ?? null, lang, isPage: false })
    return toQrCode(ticket, deps.qrImageUrl, clock())
  }

  const getBindInfo: ApiHandler = async ({ tenant, plaintext }) => {
    const identity = toIdentity(tenant, parseShape(requestSchemas.GetBindInfo, plaintext))
    return toBindInfo(await store.user(identity), deps.events.appId)
  }

  const disconnect: ApiHandler = async ({ tenant, plaintext }) => {
    const identity = toIdentity(tenant, parseShape(requestSchemas.Disconnect, plaintext))
    const { user, wasBound } = await unbind(deps, identity, 'disconnect')
    if (!wasBound) throw new BindError('NOT_BOUND', 'There is nothing to disconnect: this user has no WeChat bound.')
    return { Version: user.version }
  }

  return [
    endpoint('GetQrCode', MAX_BODY, getQrCode),
    endpoint('GetBindInfo', MAX_BODY, getBindInfo),
    endpoint('Disconnect', MAX_BODY, disconnect),
  ]
}

const toQrCode = ({ wechatTicket, url, expiresAt }: TicketWithQr, imageUrl: string, now: number) => ({
  Ticket: wechatTicket,
  Url: url,
  ImageUrl: imageUrl + encodeURIComponent(wechatTicket),
  ExpiresAt: Math.floor(expiresAt / 1000),
  ExpireSeconds: Math.floor((expiresAt - now) / 1000),
})
