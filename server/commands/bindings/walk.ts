/** Iterates over all bindings, one page at a time. */
import { type BindingFilter, type BoundUser, positionOf, type WalkPosition } from '../../store/binding-walk.ts'
import type { Store } from '../../store/store.ts'

export async function* walkPages(
  { listBindings }: Pick<Store, 'listBindings'>,
  filter: BindingFilter,
  limit = 500,
): AsyncGenerator<BoundUser[]> {
  let after: WalkPosition | undefined
  for (;;) {
    const page = await listBindings(filter, after, limit)
    if (page.length > 0) yield page
    if (page.length < limit) return
    after = positionOf(page.at(-1)!)
  }
}
