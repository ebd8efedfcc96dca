/**
 * `wechat-bind bindings import`: first reads the whole file and refuses it if a line is malformed. Then imports one batch after
 * another. After an error the same command can be repeated, because lines that were already imported change nothing.
 */
import { type ImportConflict, type ImportOutcome, importBatch, type PlannedBindings } from '../../binding/import.ts'
import { type Bilingual, BindError } from '../../errors.ts'
import { type BatchBudget, type BatchSize, createBatchSize, DEFAULT_BUDGET } from '../../store/batch-size.ts'
import type { NewBinding, Store } from '../../store/store.ts'
import type { Terminal } from '../terminal.ts'
import { type LineDefaults, parseLine } from './binding-line.ts'
import { type FileLine, readImportFile } from './import-file.ts'
import { openPlannedBindings } from './planned-bindings.ts'

export type ImportOptions = {
  file: string
  tenant: string | undefined
  account: string | undefined
  appId: string
  conflict: ImportConflict
  batch: BatchSize
  isDryRun: boolean
  /** Also imports openids of other Official Accounts. */
  takesAnyAppId: boolean
}

type ImportDeps = { store: Store; clock: () => number; terminal: Terminal; delay: (ms: number) => Promise<void> }

type Numbered = { number: number; line: NewBinding }

type Outcome = ImportOutcome | 'other-appid'

// On PostgreSQL a callback waits only for the lines of its own user, and a transaction of 100 lines takes 37 ms, most of them for
// round trips and the commit. 200,000 lines took 74 s in batches of 100, and 51 s in batches of 250.
const POSTGRES_BUDGET: BatchBudget = { sizes: [25, 50, 100, 250], longMs: 100, shortMs: 50 }

/** The number of lines in each transaction. On SQLite all callbacks of a server that uses the same file wait for them. */
export const batchOf = (databaseUrl: string): BatchSize =>
  createBatchSize(databaseUrl.startsWith('sqlite:') ? DEFAULT_BUDGET : POSTGRES_BUDGET)

// Retries help while another process holds SQLite's lock, and during a failover of PostgreSQL.
const TRIES = 4
const RETRY_AFTER_MS = 500

const MAX_FAULTS_SHOWN = 50

/** `some`: lines were reported and not imported. `nothing`: the file is malformed. */
export async function importBindings(deps: ImportDeps, options: ImportOptions): Promise<'all' | 'some' | 'nothing'> {
  const defaults: LineDefaults = {
    tenant: options.tenant ?? 'default',
    account: options.account,
    appId: options.appId,
    now: deps.clock(),
  }
  const total = await checkFile(deps.terminal, options, defaults)
  if (total === undefined) return 'nothing'
  const planned = options.isDryRun ? openPlannedBindings() : undefined
  try {
    return await importAll(deps, options, readLines(options, defaults), total, planned)
  } finally {
    planned?.close()
  }
}

async function importAll(
  deps: ImportDeps,
  options: ImportOptions,
  lines: AsyncIterable<Numbered>,
  total: number,
  planned: PlannedBindings | undefined,
): Promise<'all' | 'some'> {
  const counts = new Map<Outcome, number>()
  let done = 0
  let isAnyRefused = false
  for await (const batch of inBatches(lines, options.batch)) {
    const outcomes = await importLines(deps, options, batch, planned)
    for (const [i, { number, line }] of batch.entries()) {
      const outcome = outcomes[i]!
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
      const reason = refusals[outcome]
      if (!reason || (options.conflict === 'skip' && outcome !== 'other-appid')) continue
      isAnyRefused = true
      await deps.terminal.report(toReport(number, `${line.identity.account} ${line.identity.userId}`, reason))
    }
    done += batch.length
    deps.terminal.progress(`${done} / ${total} (${Math.floor((done / total) * 100)} %)`)
  }
  await deps.terminal.print(toSummary(total, counts, options))
  return isAnyRefused ? 'some' : 'all'
}

/** Returns the number of lines, or undefined if a line is malformed. */
async function checkFile(
  terminal: Terminal,
  options: ImportOptions,
  defaults: LineDefaults,
): Promise<number | undefined> {
  let total = 0
  let faults = 0
  for await (const { number, raw } of readImportFile(options.file, options.account !== undefined)) {
    total++
    terminal.progress(`reading ${total}`)
    const fault = faultOf(raw, options, defaults)
    if (!fault || ++faults > MAX_FAULTS_SHOWN) continue
    await terminal.report(toReport(number, undefined, fault))
  }
  if (faults === 0) return total
  const more = faults > MAX_FAULTS_SHOWN ? ` (${MAX_FAULTS_SHOWN} shown)` : ''
  await terminal.report(
    `Nothing was imported: ${faults} of ${total} lines are malformed${more}. Correct them and run the command again.\n` +
      `未导入任何数据：${total} 行中有 ${faults} 行格式错误。请更正后重新运行。`,
  )
  return undefined
}

function faultOf(raw: FileLine['raw'], options: ImportOptions, defaults: LineDefaults): Bilingual | undefined {
  if ('notAnObject' in raw) return notAnObject
  const parsed = parseLine(raw, defaults)
  if (!parsed.ok) return parsed.fault
  if (options.tenant === undefined || parsed.line.identity.tenant === options.tenant) return undefined
  return otherTenant
}

const notAnObject: Bilingual = {
  en: 'expected a JSON object such as {"Account":"acme","User_ID":"u1","OpenId":"o..."}',
  zh: '须为 JSON 对象，例如 {"Account":"acme","User_ID":"u1","OpenId":"o..."}',
}

const otherTenant: Bilingual = {
  en: 'Tenant differs from --tenant: remove one of them',
  zh: 'Tenant 与 --tenant 不一致：请去掉其一',
}

async function* readLines(options: ImportOptions, defaults: LineDefaults): AsyncGenerator<Numbered> {
  for await (const { number, raw } of readImportFile(options.file, options.account !== undefined)) {
    const parsed = 'notAnObject' in raw ? undefined : parseLine(raw, defaults)
    if (!parsed?.ok) {
      throw new BindError(
        'BAD_REQUEST',
        `line ${number} has changed since it was checked: run the command again when the file is complete.\n第 ${number} 行在检查后被改动：请在文件写完后重新运行。`,
      )
    }
    yield { number, line: parsed.line }
  }
}

async function* inBatches(lines: AsyncIterable<Numbered>, size: BatchSize): AsyncGenerator<Numbered[]> {
  let batch: Numbered[] = []
  for await (const line of lines) {
    batch.push(line)
    if (batch.length < size.present()) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The outcomes in the order of the batch. */
async function importLines(
  deps: ImportDeps,
  options: ImportOptions,
  batch: Numbered[],
  planned: PlannedBindings | undefined,
): Promise<Outcome[]> {
  const isOurs = ({ line }: Numbered) => options.takesAnyAppId || line.binding.appId === options.appId
  const ours = batch.filter(isOurs)
  const outcomes = await withRetries(deps, ours, () =>
    importBatch(
      deps,
      ours.map(({ line }) => line),
      { conflict: options.conflict, planned, onTook: options.batch.note },
    ),
  )
  let next = 0
  return batch.map((each) => (isOurs(each) ? outcomes[next++]! : 'other-appid'))
}

/** A batch can be repeated, even if its first try was committed. */
async function withRetries<T>({ delay }: ImportDeps, batch: Numbered[], run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries >= TRIES) throw interrupted(batch, error as BindError)
      await delay(RETRY_AFTER_MS * tries)
    }
  }
}

function interrupted(batch: Numbered[], error: BindError): BindError {
  const [first, last] = [batch[0]?.number ?? 0, batch.at(-1)?.number ?? 0]
  const why = (error.cause as Error | undefined)?.message ?? error.message
  return new BindError(
    'STORE_UNAVAILABLE',
    `The store did not accept lines ${first} to ${last} (${why}). The lines before them are imported. Correct the cause and run the same command again: it continues with these lines.\n` +
      `存储未接受第 ${first} 至 ${last} 行（${why}）。之前的行已导入。请排除原因后重新运行同一命令，它会从此处继续。`,
    { cause: error },
  )
}

const refusals: Partial<Record<Outcome, Bilingual>> = {
  'user-bound': {
    en: 'the user is bound to another WeChat account: unbind the user, or use --conflict replace',
    zh: '该用户已绑定其他微信：请先解绑，或使用 --conflict replace',
  },
  'openid-taken': {
    en: 'this WeChat account is bound to another user: unbind that user, or use --conflict replace',
    zh: '该微信已绑定其他用户：请先解绑对方，或使用 --conflict replace',
  },
  'other-appid': {
    en: 'AppId is not WECHAT_APP_ID, so WeChat would send the server no event of this openid: remove the line, or use --any-app-id',
    zh: 'AppId 与 WECHAT_APP_ID 不一致，服务不会收到该 openid 的消息：请删除该行，或使用 --any-app-id',
  },
}

const toReport = (number: number, user: string | undefined, { en, zh }: Bilingual) =>
  `line ${number}${user === undefined ? '' : ` (${user})`}: ${en}. 第 ${number} 行：${zh}。`

function toSummary(total: number, counts: Map<Outcome, number>, { conflict, isDryRun }: ImportOptions): string {
  const count = (...outcomes: Outcome[]) => outcomes.reduce((sum, each) => sum + (counts.get(each) ?? 0), 0)
  const [bound, replaced, already] = [count('bound'), count('replaced'), count('already')]
  const conflicts = count('user-bound', 'openid-taken')
  const isSkip = conflict === 'skip'
  const skipped = isSkip ? conflicts : 0
  const refused = count('other-appid') + (isSkip ? 0 : conflicts)
  const [en, zh] = isDryRun ? ['Dry run, nothing changed', '试运行，未作改动'] : ['Imported', '已导入']
  return (
    `${en}: ${total} lines, ${bound + replaced} bound (${replaced} replaced), ${already} already bound, ${skipped} skipped, ${refused} refused. ` +
    `${zh}：共 ${total} 行，绑定 ${bound + replaced}（其中替换 ${replaced}），原已绑定 ${already}，跳过 ${skipped}，拒绝 ${refused}。`
  )
}
