/** `wechat-bind bindings show`: all stored data of one user. */
import { toUserExport } from '../../binding/user-export.ts'
import type { Identity, Store } from '../../store/store.ts'
import type { UserRecord } from '../../store/user-record.ts'
import type { Terminal } from '../terminal.ts'
import { type Column, layOut, toVisible } from '../text-table.ts'
import { toText } from './time.ts'

type ShowDeps = {
  store: Pick<Store, 'userRecord'>
  clock: () => number
  terminal: Terminal
  /** The page's `Bind-User`; undefined without `WECHAT_APP_SECRET`. */
  nameOf: (identity: Identity) => string | undefined
}

/** Returns false for a user that the store does not know. */
export async function showUser(
  { store, clock, terminal, nameOf }: ShowDeps,
  identity: Identity,
  isJson: boolean,
): Promise<boolean> {
  const record = await store.userRecord(identity)
  if (!record) {
    const who = toVisible(`${identity.account} ${identity.userId}`)
    await terminal.report(
      `There is no user ${who} in the tenant ${identity.tenant}; with several tenants, add --tenant. ` +
        `租户 ${identity.tenant} 中没有用户 ${who}；如有多个租户，请加 --tenant。`,
    )
    return false
  }
  const name = nameOf(identity)
  await (isJson
    ? terminal.print(JSON.stringify({ BindUser: name ?? null, ...toUserExport(record.user, record) }))
    : terminal.write(toLines(record, name, clock(), terminal.columns)))
  return true
}

type Event = UserRecord['history'][number]
type Ticket = UserRecord['tickets'][number]
type Notice = UserRecord['notices'][number]

const events: Column<Event>[] = [
  { title: 'Time (UTC)', text: ({ at }) => toText(at), rank: 0 },
  { title: 'Event', text: ({ type }) => type, rank: 0 },
  { title: 'Reason', text: ({ reason }) => reason, rank: 0 },
  { title: 'Version', text: ({ version }) => String(version), rank: 1 },
]

const liveTickets: Column<Ticket>[] = [
  { title: 'Made (UTC)', text: ({ createdAt }) => toText(createdAt), rank: 0 },
  { title: 'Until (UTC)', text: ({ expiresAt }) => toText(expiresAt), rank: 0 },
  { title: 'State', text: ({ state }) => state, rank: 0 },
  { title: 'Scanned by', text: ({ scannedBy }) => scannedBy ?? '', rank: 0 },
]

const waiting: Column<Notice>[] = [
  { title: 'Next try (UTC)', text: ({ nextAt }) => toText(nextAt), rank: 0 },
  { title: 'State', text: ({ state }) => state, rank: 0 },
  { title: 'Tries', text: ({ attempts }) => String(attempts), rank: 1 },
  { title: 'Notice', text: ({ uid }) => uid, rank: 0 },
]

function toLines(record: UserRecord, name: string | undefined, now: number, width: number | undefined): string {
  const { user, history, tickets, notices } = record
  const { tenant, account, userId } = user.identity
  const live = tickets.filter(({ state, expiresAt }) => ['pending', 'scanned'].includes(state) && expiresAt > now)
  const fields: [string, string][] = [
    ['Tenant', tenant],
    ['Account', account],
    ['User_ID', userId],
    ['Bind-User', name ?? '(set WECHAT_APP_SECRET)'],
    ['Version', String(user.version)],
    ...bindingFields(user),
  ]
  return [
    ...fields.map(([title, value]) => `${title.padEnd(12)}${toVisible(value)}`),
    ...section('History 历史', events, history, width),
    ...section('Valid QR codes 有效的二维码', liveTickets, live, width),
    ...section('Webhook notices 待投递通知', waiting, notices, width),
    '',
  ].join('\n')
}

function bindingFields({ binding, reason }: UserRecord['user']): [string, string][] {
  if (!binding) return [['State', reason === null ? 'not bound' : `not bound (${reason})`]]
  return [
    ['State', binding.subscribed ? 'bound' : 'bound, does not follow'],
    ['OpenId', binding.openid],
    ['UnionId', binding.unionid ?? ''],
    ['AppId', binding.appId],
    ['Bound (UTC)', toText(binding.boundAt)],
    ['Label', binding.label ?? ''],
  ]
}

const section = <Row>(title: string, columns: Column<Row>[], rows: Row[], width: number | undefined) =>
  rows.length === 0 ? [] : ['', title, ...layOut(columns, rows, width).lines]
