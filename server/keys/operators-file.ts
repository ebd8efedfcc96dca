/** Reads the operators of the console from a file, one per line, and again after each change. Node only. */
import { BindError } from '../errors.ts'
import type { Log } from '../platform.ts'
import { readText, type WatchedFile, watchFile } from '../watched-file.ts'
import { type Operator, parseOperators } from './operators.ts'

/** Throws a TypeError `English | 中文` when the file cannot be read or does not parse. */
export const parseOperatorsFile = (path: string): Operator[] => parseOperators(readText(path))

/**
 * Calls `onOperators` after each change. If the file cannot be read or does not parse, the fault is logged, and the current operators
 * stay.
 */
export function watchOperatorsFile(path: string, onOperators: (operators: Operator[]) => void, log: Log): WatchedFile {
  return watchFile(path, () => {
    try {
      const operators = parseOperatorsFile(path)
      onOperators(operators)
      log.info({ operators: operators.length }, 'CONSOLE_TOKENS_FILE was read again')
    } catch (cause) {
      const [en, zh] = (cause as Error).message.split(' | ')
      const error = new BindError('BAD_CONFIG', `CONSOLE_TOKENS_FILE: ${en}\n    ${zh}`, { cause })
      log.error({ code: error.code }, error.message)
    }
  })
}
