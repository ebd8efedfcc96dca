/**
 * Cursors. A cursor is a place in a list: a client gets it with a page and sends it back for the next page. It consists of the
 * place as JSON, and of a keyed hash of the place and its scope (the call, the tenant and the filters of the list). So the server
 * accepts only an unchanged cursor of the same list. The key is made from the AppSecret, so a cursor works at every instance and
 * after a restart.
 */
import { equalInConstantTime } from '../crypto.ts'
import { BindError } from '../errors.ts'
import type { KeyedHash } from '../store/sql/tx-settings.ts'

export type Cursors = {
  seal(scope: string[], place: unknown[]): string
  /** Undefined without a cursor. Throws `BAD_REQUEST` for a cursor of another list. */
  open<Place extends unknown[]>(scope: string[], cursor: string | undefined): Place | undefined
}

// 96 bits of the hash are enough, because each guess costs a request.
const HASH_LENGTH = 16

export function createCursors(hashOf: KeyedHash): Cursors {
  const hashFor = (scope: string[], place: string) => hashOf('cursor', ...scope, place).slice(0, HASH_LENGTH)

  return {
    seal(scope, place) {
      const encoded = Buffer.from(JSON.stringify(place)).toString('base64url')
      return hashFor(scope, encoded) + encoded
    },
    open<Place extends unknown[]>(scope: string[], cursor: string | undefined) {
      if (cursor === undefined) return undefined
      const encoded = cursor.slice(HASH_LENGTH)
      if (!equalInConstantTime(cursor.slice(0, HASH_LENGTH), hashFor(scope, encoded))) throw unknownCursor()
      return JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Place
    },
  }
}

const unknownCursor = () =>
  new BindError(
    'BAD_REQUEST',
    'This cursor was not made for this call and its filters: pass the cursor of the last reply, or no cursor to start from the beginning.',
  )
