/** The permissions of files, and the files that may hold this process's settings. Node only. */
import { statSync } from 'node:fs'
import type { FileAccess } from './files.ts'

// The path of deploy/wechat-bind.service.
const SYSTEMD_ENV_FILE = '/etc/wechat-bind.env'

export const fileAccess: FileAccess = {
  modeOf,
  envFiles: [...new Set([...envFilesOf(process.execArgv), SYSTEMD_ENV_FILE])],
}

function modeOf(path: string): number | undefined {
  // On Windows the mode says nothing about other users.
  if (process.platform === 'win32') return undefined
  try {
    return statSync(path).mode & 0o777
  } catch {
    return undefined
  }
}

/** The files named by `node --env-file=…`. */
function envFilesOf(args: string[]): string[] {
  return args.flatMap((arg, i) => {
    const [, path = args[i + 1]] = /^--env-file(?:-if-exists)?(?:=(.+))?$/.exec(arg) ?? [undefined, '']
    return path ? [path] : []
  })
}
