/** The session of an operator, and what the page must know of the server. */

export type Role = 'viewer' | 'operator'

export type SignIn = { token: string }

/** `csrf` is sent in `X-Console-CSRF`. */
export type SessionView = { name: string; role: Role; expiresAt: number; csrf: string }

/** `offers`: only in the demo, whose sign-in offers a token for each role. */
export type SessionState =
  | ({ signedIn: true } & SessionView)
  | { signedIn: false; offers?: { name: string; role: Role; token: string }[] }

/** `confirm` is the setting `CONFIRM`: with `off` the funnel has no step `confirmed` of its own. */
export type Meta = {
  version: string
  tenants: string[]
  languages: string[]
  accountName: string | null
  appId: string
  confirm: 'off' | 'reply' | 'code'
  conflict: 'reject' | 'replace' | 'allow'
}
