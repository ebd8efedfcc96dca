/** The bindings whose unionid the server requests from WeChat, and WeChat's answers. */

/**
 * The state of a binding when WeChat was asked about it. No other binding of the user has the same `version`. `due` is the time
 * at which the server would ask WeChat again. Each follow or unfollow that is applied in the meantime makes `due` smaller.
 */
export type AskedBinding = { version: number; due: number }

/** A binding whose unionid has not been requested from WeChat. */
export type UnionidRequest = { user: number; openid: string } & AskedBinding

/**
 * WeChat's answer; `unionid` is null when the account has none. `follows` is present if WeChat says that the openid follows the
 * account.
 */
export type UnionidAnswer = {
  user: number
  openid: string
  unionid: string | null
  follows?: AskedBinding | undefined
}

export type UnionidStore = {
  /** At most `limit` requests that are due at `now`. A request becomes due again at `againAt` unless its answer is saved. */
  claimDue(now: number, againAt: number, limit: number): Promise<UnionidRequest[]>
  /**
   * Saves the answers, except the answers whose openid is no longer bound to its user. Each new unionid, and a follow that was
   * not known, adds an event.
   */
  save(answers: UnionidAnswer[], at: number): Promise<void>
}
