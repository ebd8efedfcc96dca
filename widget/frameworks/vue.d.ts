/** `import type {} from 'wechat-bind/vue'`: types of the tag in Vue's templates. */
import type { ReservedProps } from 'vue'
import type { BindEventMap } from '../index.js'
import type { WechatBindProps } from './props.js'

type Listeners = {
  [Name in keyof BindEventMap as `on${Capitalize<Name>}`]?: (event: BindEventMap[Name]) => void
}

declare module 'vue' {
  /** Vue's types lack the attribute `slot`, which a child of the tag needs to name its slot. */
  interface HTMLAttributes {
    slot?: string
  }
  interface GlobalComponents {
    'wechat-bind': new () => {
      $props: WechatBindProps & Listeners & HTMLAttributes & ReservedProps & { 'token-url'?: string }
    }
  }
}
