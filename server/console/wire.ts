/**
 * The JSON between the console's page and its server. It contains only types and imports nothing from the server, so the
 * page can import it. The types of each page have a file of their own.
 *
 * All paths are relative to the page (`api/session`), because the console can be mounted anywhere. No id of a person is in a URL:
 * requests that name a user or search for one are `POST` with a JSON body. Every request except `GET` needs the header
 * `X-Console-CSRF` with the token of `SessionView`; only the sign-in needs none. Refusals are `Problem` (`server/wire.ts`):
 * 401 `UNAUTHORIZED` (sign in again), 403 `FORBIDDEN` (the role, the host, the origin or the CSRF token), 429 `RATE_LIMITED` with
 * `Retry-After`. Times are epoch ms.
 *
 * | request | body | answer |
 * | --- | --- | --- |
 * | `GET api/session` | | `SessionState` |
 * | `POST api/session` | `SignIn` | `SessionView` (401 for a wrong token, 429 after five wrong ones within a minute) |
 * | `DELETE api/session` | | 204 |
 * | `GET api/meta` | | `Meta` |
 * | `GET api/overview?range=24h&tenant=` | | `Overview`; without `tenant`, all tenants |
 * | `POST api/users/search` | `UserSearch` | `UserList` |
 * | `POST api/users/show` | `UserName` | `UserView` (404 `NOT_FOUND` for a user that the server does not know) |
 * | `POST api/users/unbind` * | `UserName` | `UserView` (409 `NOT_BOUND`) |
 * | `POST api/users/erase` * | `UserName` | `Erased` |
 * | `POST api/users/export` * | `UserName` | the JSON of ExportUser, as a download |
 * | `POST api/users/reveal` * | `UserName` | `Revealed`; adds an entry with the operator's name to the user's history |
 * | `GET api/webhooks` | | `Webhooks` |
 * | `POST api/webhooks/replay` * | `NoticeChoice` | `Replayed`: failed notices are due now, with all attempts |
 * | `POST api/webhooks/retry` * | `NoticeChoice` | `Replayed`: waiting notices are due now |
 * | `POST api/webhooks/enable` * | `ReceiverChoice` | `Webhooks` |
 * | `POST api/webhooks/test` * | `ReceiverChoice` | `TestOutcome` |
 * | `GET api/doctor` | | `DoctorReport`; the last report; `at` is null if there is none |
 * | `POST api/doctor` * | | `DoctorReport`; takes up to 15 s |
 * | `GET api/live?after=&wait=25` | | `LivePage`; waits at most `wait` seconds (0 to 25) for an event |
 *
 * `*`: only an operator; a viewer gets 403 `FORBIDDEN`.
 */

export type * from './wire/advice.ts'
export type * from './wire/doctor.ts'
export type * from './wire/live.ts'
export type * from './wire/overview.ts'
export type * from './wire/session.ts'
export type * from './wire/users.ts'
export type * from './wire/webhooks.ts'
