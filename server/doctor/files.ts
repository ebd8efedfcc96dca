/** Checks that other users of the machine cannot read the files that hold keys, settings or openids. */
import type { Config } from '../config/config.ts'
import { type Finding, ok, warn } from './finding.ts'

/** The functions of the file system that the check uses. */
export type FileAccess = {
  /** The permission bits of a file. Undefined if the file does not exist, or if the system has no such bits. */
  modeOf(path: string): number | undefined
  /** Files that may hold this process's settings. */
  envFiles: string[]
}

type SecretFile = { path: string; holds: { en: string; zh: string } }

const SQLITE = 'sqlite:'

const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002

/** Returns no findings if none of the files exists, for example with PostgreSQL and BIND_KEYS. */
export function checkFiles(config: Config, { modeOf, envFiles }: FileAccess): Finding[] {
  const found = filesOf(config, envFiles).flatMap((file) => {
    const mode = modeOf(file.path)
    return mode === undefined ? [] : [{ ...file, mode }]
  })
  if (found.length === 0) return []
  const open = found.filter(({ mode }) => (mode & (OTHERS_READ | OTHERS_WRITE)) !== 0)
  return open.length > 0 ? open.map(toFinding) : [closed]
}

function filesOf({ keysFile, webhooksFile, databaseUrl, console }: Config, envFiles: string[]): SecretFile[] {
  const database = databaseUrl.startsWith(SQLITE) ? databaseUrl.slice(SQLITE.length) : undefined
  const paths = database === undefined ? [] : [database, `${database}-wal`, `${database}-shm`]
  return [
    ...(keysFile === undefined
      ? []
      : [{ path: keysFile, holds: { en: 'the keys (BIND_KEYS_FILE)', zh: '密钥（BIND_KEYS_FILE）' } }]),
    ...(webhooksFile === undefined
      ? []
      : [{ path: webhooksFile, holds: { en: 'secrets (WEBHOOKS_FILE)', zh: '密钥（WEBHOOKS_FILE）' } }]),
    ...(console.tokensFile === undefined
      ? []
      : [
          {
            path: console.tokensFile,
            holds: { en: 'tokens (CONSOLE_TOKENS_FILE)', zh: '令牌（CONSOLE_TOKENS_FILE）' },
          },
        ]),
    ...envFiles.map((path) => ({ path, holds: { en: 'the settings', zh: '配置' } })),
    ...paths.map((path) => ({ path, holds: { en: 'openids (DATABASE_URL)', zh: 'openid（DATABASE_URL）' } })),
  ]
}

function toFinding({ path, holds, mode }: SecretFile & { mode: number }): Finding {
  const isWritable = (mode & OTHERS_WRITE) !== 0
  const digits = (mode & 0o777).toString(8).padStart(3, '0')
  return warn('files.open', {
    en: `Every user of this machine can ${isWritable ? 'change' : 'read'} ${path}. The file holds ${holds.en}, and its mode is ${digits}.`,
    zh: `本机的任何用户都可以${isWritable ? '修改' : '读取'} ${path}。该文件含有${holds.zh}，权限为 ${digits}。`,
    fix: { en: `Run chmod 600 ${path} as its owner.`, zh: `请以该文件所有者的身份运行 chmod 600 ${path}。` },
  })
}

const closed = ok('files.ok', {
  en: 'Other users of this machine cannot read the files with keys, settings and openids.',
  zh: '本机的其他用户无法读取含有密钥、配置与 openid 的文件。',
})
