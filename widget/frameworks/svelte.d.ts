/** `import type {} from 'wechat-bind/svelte'`: types of the tag in Svelte's templates. */
import type { HTMLAttributes } from 'svelte/elements'
import type { WechatBind } from '../index.js'
import type { WechatBindListeners, WechatBindProps } from './props.js'

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'wechat-bind': Omit<HTMLAttributes<WechatBind>, keyof WechatBindProps> &
      WechatBindProps &
      WechatBindListeners & { 'token-url'?: string }
  }
}
