/** `wechat-bind bindings list`: a table for people, NDJSON or CSV. */
import { counted } from '../../errors.ts'
import type { BindingFilter, BoundUser } from '../../store/binding-walk.ts'
import type { Store } from '../../store/store.ts'
import { toCsvLine } from '../csv.ts'
import type { Terminal } from '../terminal.ts'
import { type Column, layOut } from '../text-table.ts'
import { names, toBindingLine, toCells } from './binding-line.ts'
import { toText } from './time.ts'
import { walkPages } from './walk.ts'

export type ListFormat = 'table' | 'json' | 'csv'

type ListDeps = { store: Pick<Store, 'listBindings'>; terminal: Terminal }

export async function listAll({ store, terminal }: ListDeps, filter: BindingFilter, format: ListFormat): Promise<void> {
  let count = 0
  let head = ''
  const hidden = new Set<string>()
  if (format === 'csv') await terminal.write(toCsvLine([...names]))
  for await (const page of walkPages(store, filter)) {
    if (format === 'table') head = await writeTable(terminal, page, head, hidden)
    else await terminal.write(page.map((bound) => toRecord(bound, format)).join(''))
    count += page.length
    terminal.progress(`${count}`)
  }
  if (format !== 'table') return
  const more =
    hidden.size === 0
      ? ''
      : ` Hidden columns: ${[...hidden].join(', ')}; --json shows all. 未显示的列：${[...hidden].join('、')}，--json 显示全部。`
  await terminal.report(`${counted(count, 'binding')}. 共 ${count} 条绑定。${more}`)
}

function toRecord(bound: BoundUser, format: 'json' | 'csv'): string {
  const line = toBindingLine(bound)
  return format === 'json' ? `${JSON.stringify(line)}\n` : toCsvLine(toCells(line))
}

const columns: Column<BoundUser>[] = [
  { title: 'Tenant', text: ({ identity }) => identity.tenant, rank: 1, minWidth: 6 },
  { title: 'Account', text: ({ identity }) => identity.account, rank: 0, minWidth: 8 },
  { title: 'User_ID', text: ({ identity }) => identity.userId, rank: 0, minWidth: 10 },
  { title: 'OpenId', text: ({ binding }) => binding.openid, rank: 0 },
  { title: 'Bound (UTC)', text: ({ binding }) => toText(binding.boundAt), rank: 2 },
  { title: 'Follows', text: ({ binding }) => (binding.subscribed ? 'yes' : 'no'), rank: 3 },
  { title: 'Label', text: ({ binding }) => binding.label ?? '', rank: 4, minWidth: 8 },
  { title: 'AppId', text: ({ binding }) => binding.appId, rank: 5 },
  { title: 'UnionId', text: ({ binding }) => binding.unionid ?? '', rank: 6 },
]

/**
 * The columns of a page have the widths of its texts. Returns the head line, which is printed again if the columns differ from those
 * of `headBefore`. Adds the titles of the columns that do not fit to `hidden`.
 */
async function writeTable(
  terminal: Terminal,
  page: BoundUser[],
  headBefore: string,
  hidden: Set<string>,
): Promise<string> {
  const table = layOut(columns, page, terminal.columns)
  const [head = '', ...rows] = table.lines
  for (const title of table.hidden) hidden.add(title)
  await terminal.write([...(head === headBefore ? [] : [head]), ...rows].map((line) => `${line}\n`).join(''))
  return head
}
