/** The state of the playground, and what its controls can do. */
import type { Group, Tag } from './playground-tag.ts'
import type { Settings } from './settings.ts'

/** A DOM event of the element, as a line of the log. */
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
  enter(group: Group, name: string, value: string | undefined): void
  reset(): void
  turn(dir: 'ltr' | 'rtl'): void
  clear(): void
  call(method: 'start' | 'stop' | 'refresh' | 'unbind'): void
  confirm(code: string): void
  scan(): Promise<void>
  unfollow(): Promise<unknown>
  copy(code: string): Promise<void>
}
