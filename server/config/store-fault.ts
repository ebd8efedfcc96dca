/** The error when the store cannot be opened. */
import { BindError } from '../errors.ts'
import { findModuleFault } from './version.ts'

/** Adds the setting and a fix to the driver's message, which is for example `attempt to write a readonly database`. */
export function cannotOpen(cause: Error & { code?: string }): BindError {
  const moduleFault = findModuleFault(cause)
  if (moduleFault !== undefined) return new BindError('BAD_CONFIG', moduleFault, { cause })
  // The error for a connection that several addresses refused has a code, but an empty message.
  const why = cause.message || cause.code
  const message = [
    `DATABASE_URL: the store cannot be opened (${why}): check that the database is running, that the disk has free space, and that this server's user may write to it.`,
    `    存储无法打开（${why}）：请确认数据库正在运行、磁盘有剩余空间，并且运行本服务的用户有写权限。`,
  ]
  return new BindError('BAD_CONFIG', message.join('\n'), { cause })
}
