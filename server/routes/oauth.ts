/**
 * The routes of the web authorization (网页授权). A page inside WeChat goes to WeChat's authorization, comes back, and confirms the
 * binding.
 */
import { oauthConfirmSchema, oauthSchema, parseShape } from '../api/request-schemas.ts'
import {
  completeAuthorization,
  confirmAuthorization,
  type Returned,
  startAuthorization,
  unknownState,
} from '../binding/oauth.ts'
import { addToFragment, parseReturn } from '../binding/oauth-return.ts'
import { toLanguage } from '../binding/replies.ts'
import { toView, withFollowQr } from '../binding/view.ts'
import type { Deps } from '../deps.ts'
import type { BindError } from '../errors.ts'
import { type Answer, jsonAnswer } from '../http/answer.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { createPageEndpoints, type PageHandler, permitted, toJson } from '../http/page-endpoint.ts'
import { logFailure } from '../http/problem.ts'
import type { OauthView } from '../wire.ts'

const MAX_BODY = 4 * 1024

export const OAUTH_PATH = '/wechat/oauth'

// How long a new binding waits for WeChat's answer, which says whether the user follows the account.
const FOLLOWER_WAIT_MS = 1_500

/** The list is empty unless `WECHAT_OAUTH` is on. */
export function oauthEndpoints(deps: Deps): Endpoint[] {
  const { oauth, events, store, unionids, clock } = deps
  if (!oauth) return []
  const { endpoint } = createPageEndpoints(deps)

  const start: PageHandler = async ({ headers }, principal, body) => {
    const { identity } = permitted(principal, 'bind')
    const { baseUrl, ownOrigins, openBase } = oauth.addressesFor(headers)
    const isAllowed = (origin: string) => ownOrigins.includes(origin) || deps.allowedOrigins.includes(origin)
    const returnUrl = parseReturn(parseShape(oauthSchema, toJson(body)).return, isAllowed)
    const redirectUri = baseUrl + OAUTH_PATH
    const url = await startAuthorization(deps, { identity, returnUrl, redirectUri, openBase, ...oauth })
    return jsonAnswer({ url } satisfies OauthView)
  }

  const confirm: PageHandler = async ({ headers }, principal, body) => {
    const { identity, label } = permitted(principal, 'bind')
    const { proof } = parseShape(oauthConfirmSchema, toJson(body))
    const lang = toLanguage(headers['accept-language'], events.lang)
    await confirmAuthorization(deps, { identity, label, lang, proof })
    await unionids.settle(FOLLOWER_WAIT_MS)
    const user = await store.user(identity)
    const view = toView(user, clock(), { hasOauth: true })
    const answer = jsonAnswer(await withFollowQr(view, oauth.followQr))
    return { ...answer, headers: { ...answer.headers, ETag: `"${user.version}"` } }
  }

  const complete: Endpoint = {
    method: 'GET',
    path: OAUTH_PATH,
    headers: [],
    maxBody: 0,
    async answer({ method, search, requestId }) {
      // A program that only checks the link (a HEAD request) must not consume the state.
      if (method !== 'GET') return { status: 405, headers: { Allow: 'GET' }, body: null }
      const query = new URLSearchParams(search)
      const state = query.get('state') ?? ''
      if (!oauth.states.isGenuine(state)) throw unknownState()
      const returned = await completeAuthorization(deps, state, query.get('code') || undefined)
      if ('refusal' in returned) logFailure(deps.log, requestId, returned.refusal)
      return toRedirect(returned)
    },
    refuse(error, { requestId }) {
      logFailure(deps.log, requestId, error)
      return toPage(error)
    },
  }

  return [
    complete,
    endpoint('POST', '/widget/oauth', MAX_BODY, start),
    endpoint('POST', '/widget/oauth/confirm', MAX_BODY, confirm),
  ]
}

/** 303 makes the browser send a GET without a body. No `Referer` is sent, and nothing is cached: see `SECURITY_HEADERS`. */
function toRedirect(returned: Returned): Answer {
  const to = (url: string, refusal?: BindError): Answer => ({
    status: 303,
    headers: { Location: url },
    body: null,
    ...(refusal && { refusal: refusal.code }),
  })
  if ('proof' in returned) return to(addToFragment(returned.returnUrl, 'wechat-bind', returned.proof))
  const { returnUrl, refusal } = returned
  return to(addToFragment(returnUrl, 'wechat-bind-error', refusal.code), refusal)
}

/** The page that the user sees if the page to return to is unknown. */
const toPage = ({ status, code }: BindError): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=UTF-8' },
  body: `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>微信绑定</title><p>微信授权未完成，请返回原页面重试。</p><p lang="en">The authorization was not completed. Go back to the page and try again.</p><p>${code}</p></html>`,
  refusal: code,
})
