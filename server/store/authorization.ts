/** The web authorization of a user who binds inside WeChat without a scan. */

/**
 * `requested`: the browser is on its way to WeChat. `exchanging`: WeChat is asked for the openid. `proven`: the page has not
 * confirmed yet; the openid is kept until then. A `closed` authorization binds nobody.
 */
export type AuthorizationState =
  | { name: 'requested' }
  | { name: 'exchanging' }
  | { name: 'proven'; openid: string }
  | { name: 'closed' }

/** `until` (epoch ms): when the present state expires. The store keeps only keyed hashes of WeChat's `state` and of the proof. */
export type Authorization = {
  id: number
  user: number
  appId: string
  /** The URL of the page to which the browser returns. */
  returnUrl: string
  createdAt: number
  until: number
  state: AuthorizationState
}

export type NewAuthorization = Pick<Authorization, 'user' | 'appId' | 'returnUrl' | 'createdAt' | 'until'>
