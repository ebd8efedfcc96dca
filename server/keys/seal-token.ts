/** Makes widget tokens. The client in a site's back end uses this module, so it imports no schema library. */
import {
  ID_LENGTH,
  isValidLifetime,
  LABEL_LENGTH,
  LIFETIME_FAULT,
  type Scope,
  scopes,
  textFaults,
} from '../api/claim-rules.ts'
import { BindError } from '../errors.ts'
import { sealEnvelope, TOKEN_TYPE } from './envelope.ts'

export type TokenRequest = {
  account: string
  userId: string
  /** The name of the account in the chat, e.g. `ab***@example.com`. */
  label?: string
  scope?: Scope[]
  /** Seconds, at most 3600. The default is 900. */
  ttlSeconds?: number
}

/** Makes a token. No call to the server is needed. Throws `BAD_REQUEST`, whose message names each faulty field without its content. */
export function sealToken(request: TokenRequest, kid: string, secret: Uint8Array, nowMs: number): Promise<string> {
  const { account: Account, userId: User_ID, label: Label, scope, ttlSeconds = 900 } = request
  const iat = Math.floor(nowMs / 1000)
  const exp = iat + ttlSeconds
  const faults = [
    ...faultsOf('Account', Account, ID_LENGTH),
    ...faultsOf('User_ID', User_ID, ID_LENGTH),
    ...(Label === undefined ? [] : faultsOf('Label', Label, LABEL_LENGTH)),
    ...(Number.isSafeInteger(exp) ? [] : ['exp: must be a whole number of seconds']),
    ...(isValidLifetime({ iat, exp }) ? [] : [`body: ${LIFETIME_FAULT}`]),
    ...(isScopeList(scope) ? [] : [`scope: must be a list of ${scopes.join(', ')}`]),
  ]
  if (faults.length > 0) throw new BindError('BAD_REQUEST', `Invalid input: ${faults.join('; ')}.`)
  return sealEnvelope({ Account, User_ID, iat, exp, Label, scope }, { kid, typ: TOKEN_TYPE }, secret)
}

// The types of the fields are checked too, because many callers do not use TypeScript.
const faultsOf = (name: string, text: unknown, max: number): string[] =>
  (typeof text === 'string' ? textFaults(text, max) : ['must be a text']).map((fault) => `${name}: ${fault}`)

const isScopeList = (scope: unknown): boolean =>
  scope === undefined || (Array.isArray(scope) && scope.every((one) => scopes.includes(one)))
