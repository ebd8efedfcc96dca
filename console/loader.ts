/** Loads what the pages show. A newer request for the same value aborts the older one. */
import type { Answer, Failure } from './console-client.ts'
import type { Loadable, PageState, Store } from './page-state.ts'

type Loadables = { [K in keyof PageState as PageState[K] extends Loadable<unknown> ? K : never]: PageState[K] }
export type LoadableName = keyof Loadables
type ValueOf<K extends LoadableName> = Extract<Loadables[K], { state: 'ready' }>['value']

/**
 * What the page shows during the request. `fresh`: nothing. `replace`: the old value; a failure replaces it. `refresh`: the old
 * value; a failure does not replace it.
 */
export type LoadMode = 'fresh' | 'replace' | 'refresh'

export type Loader = ReturnType<typeof createLoader>

type LoaderParts = { store: Store; clock: () => number; onFailure: (failure: Failure) => void }

export function createLoader({ store, clock, onFailure }: LoaderParts) {
  const running = new Map<LoadableName, AbortController>()

  const write = <K extends LoadableName>(name: K, loadable: Loadable<ValueOf<K>>) =>
    store.write({ [name]: loadable } as Partial<PageState>)

  function show<K extends LoadableName>(name: K, value: ValueOf<K>): void {
    running.get(name)?.abort()
    write(name, { state: 'ready', value, at: clock() })
  }

  async function load<K extends LoadableName>(
    name: K,
    mode: LoadMode,
    ask: (signal: AbortSignal) => Promise<Answer<ValueOf<K>>>,
  ): Promise<void> {
    running.get(name)?.abort()
    const controller = new AbortController()
    running.set(name, controller)
    if (mode === 'fresh') write(name, { state: 'loading' })
    const answer = await ask(controller.signal)
    if (controller.signal.aborted) return
    if (answer.ok) return write(name, { state: 'ready', value: answer.value, at: clock() })
    const { failure } = answer
    const shown = store.read()[name] as Loadable<ValueOf<K>>
    write(name, mode === 'refresh' && shown.state === 'ready' ? { ...shown, failure } : { state: 'failed', failure })
    onFailure(failure)
  }

  return {
    load,
    /** Shows a value that came with the answer to another request. */
    show,
    stop(): void {
      for (const controller of running.values()) controller.abort()
      running.clear()
    },
  }
}
