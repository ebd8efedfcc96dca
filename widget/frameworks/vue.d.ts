/** `import type {} from 'wechat-bind/vue'`: types of the tag in Vue's templates. */
import type { ReservedProps } from 'vue'
import type { BindEventMap } from '../index.js'
import type { WechatBindProps } from './props.js'

type Listeners = {
  [Name in keyof BindEventMap as `on${Capitalize<Name>}`]?: (event: BindEventMap[Name]) => void
}

declare module 'vue' {
  /** The content of the tag names its slot with the attribute `slot`, which Vue's types do not contain. */
  interface HTMLAttributes {
    slot?: string
  }
  interface GlobalComponents {
    'wechat-bind': new () => {
      $props: WechatBindProps & Listeners & HTMLAttributes & ReservedProps & { 'token-url'?: string }
    }
  }
}
