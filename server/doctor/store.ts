/** Checks that the store can be opened and that its tables match this version. */
import { type Finding, ok, warn, wrong } from './finding.ts'

export type StoreInspection = {
  /** The names of the applied migrations. Undefined if no store exists yet. */
  applied: string[] | undefined
  /** The names of the migrations of this version. */
  known: string[]
}

/** Changes nothing in the store. Rejects if the store cannot be reached or is not writable. */
export type InspectStore = (databaseUrl: string) => Promise<StoreInspection>

export async function checkStore(databaseUrl: string, inspect: InspectStore): Promise<Finding> {
  try {
    return findingOf(await inspect(databaseUrl))
  } catch (error) {
    // The error for a connection that several addresses refused has a code, but an empty message.
    const { message, code = 'unknown' } = error as Error & { code?: string }
    return unreachable(message || code)
  }
}

function findingOf({ applied, known }: StoreInspection): Finding {
  if (applied === undefined) {
    return ok('store.new', {
      en: 'The store does not exist yet. The server creates it at its first start.',
      zh: '存储尚不存在，服务首次启动时会创建。',
    })
  }
  if (applied.some((name) => !known.includes(name))) return newer
  if (known.some((name) => !applied.includes(name))) return older
  return ok('store.ok', {
    en: 'The store can be opened, and its tables are up to date.',
    zh: '存储可用，表结构为最新。',
  })
}

const newer = wrong('store.ahead', {
  en: 'A newer version of wechat-bind has upgraded the tables of the store.',
  zh: '更新版本的 wechat-bind 已升级存储的表结构。',
  fix: { en: 'Run that version or a newer one.', zh: '请运行该版本或更新的版本。' },
})

const older = warn('store.behind', {
  en: 'The tables of the store are those of an older version.',
  zh: '存储的表结构属于旧版本。',
  fix: {
    en: 'Back up the store. The server upgrades the tables at its next start.',
    zh: '请先备份存储。服务下次启动时会升级表结构。',
  },
})

const unreachable = (reason: string): Finding =>
  wrong('store.unreachable', {
    en: `The store cannot be opened (${reason}).`,
    zh: `无法打开存储（${reason}）。`,
    fix: {
      en: "Check DATABASE_URL. The database must be running, must not be a read-only replica, and must be writable for this server's user.",
      zh: '请检查 DATABASE_URL，确认数据库正在运行、不是只读副本，且运行服务的用户有写权限。',
    },
  })
