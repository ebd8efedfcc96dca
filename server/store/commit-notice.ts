/** What other requests and instances learn of a commit. */
import type { BindReason, Identity } from './identity.ts'

/** A step of the funnel that a commit has made. `tookMs`: the time from the QR code to the binding. */
export type Step =
  | { name: 'scan' }
  | { name: 'bind'; reason: BindReason; tookMs: number | undefined }
  | { name: 'unbind' }

/**
 * A user's version after a commit. The server sends the new state to a waiting page that knows a smaller version. `steps` is present
 * only in notices of this instance's own commits.
 */
export type Committed = { identity: Identity; version: number; steps?: Step[] }

/** `missed` means that notifications of other instances may have been lost, so any user may have changed. */
export type CommitNotice = Committed | 'missed'
