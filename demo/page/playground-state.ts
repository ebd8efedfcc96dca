/** The playground's state and actions. */
import type { Group, Tag } from './playground-tag.ts'
import type { Settings } from './settings.ts'

/** A DOM event of the element in the log. */
export type ShownEvent = { at: string; name: string; detail: string }

export type PlaygroundState = {
  settings: Settings
  tag: Tag
  events: ShownEvent[]
  dir: 'ltr' | 'rtl'
  isCopied: boolean
}

export type PlaygroundActions = {
  set(settings: Partial<Settings>): void
  setEntry(group: Group, name: string, value: string | undefined): void
  reset(): void
  setDirection(dir: 'ltr' | 'rtl'): void
  clear(): void
  call(method: 'start' | 'stop' | 'refresh' | 'unbind' | 'open' | 'close'): void
  confirm(code: string): void
  scan(): Promise<void>
  unfollow(): Promise<unknown>
  copy(code: string): Promise<void>
}
