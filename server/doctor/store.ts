/** Whether the store opens and its tables are those of this version. */
import { type Finding, ok, warn, wrong } from './finding.ts'

/** What a look at the store shows; it changes nothing there. */
export type StoreLook = {
  /** Names of the migrations that were run; undefined where there is no store yet. */
  applied: string[] | undefined
  /** Those that this version has. */
  known: string[]
}

/** Rejects when the store cannot be reached or written to. */
export type LookAtStore = (databaseUrl: string) => Promise<StoreLook>

export async function checkStore(databaseUrl: string, look: LookAtStore): Promise<Finding> {
  try {
    return judgeStore(await look(databaseUrl))
  } catch (error) {
    // A connection that is refused on several addresses has a code and no message.
    const { message, code = 'unknown' } = error as Error & { code?: string }
    return unreachable(message || code)
  }
}

export function judgeStore({ applied, known }: StoreLook): Finding {
  if (applied === undefined) {
    return ok('store.new', {
      en: 'There is no store yet: the server makes it when it first starts.',
      zh: '存储尚不存在：服务首次启动时会创建。',
    })
  }
  if (applied.some((name) => !known.includes(name))) return ahead
  if (known.some((name) => !applied.includes(name))) return behind
  return ok('store.ok', { en: 'The store opens and its tables are current.', zh: '存储可用，表结构为最新。' })
}

const ahead = wrong('store.ahead', {
  en: 'A newer version of wechat-bind has changed the tables of the store.',
  zh: '存储的表结构已被更新版本的 wechat-bind 升级。',
  fix: { en: 'Run that version, or a newer one.', zh: '请使用该版本或更新的版本。' },
})

const behind = warn('store.behind', {
  en: 'The tables of the store are those of an older version.',
  zh: '存储的表结构属于旧版本。',
  fix: {
    en: 'Back the store up; the server brings its tables up to date at its next start.',
    zh: '请先备份；服务下次启动时会自动升级表结构。',
  },
})

const unreachable = (why: string): Finding =>
  wrong('store.unreachable', {
    en: `The store cannot be opened (${why}).`,
    zh: `无法打开存储（${why}）。`,
    fix: {
      en: "Check DATABASE_URL, that the database runs and is not a read-only copy, and that this server's user may write to it.",
      zh: '请检查 DATABASE_URL，确认数据库在运行、不是只读副本，且运行服务的用户有写权限。',
    },
  })
