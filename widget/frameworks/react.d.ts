/** `import type {} from 'wechat-bind/jsx'`: types of the tag in React's JSX. React 19 sets properties and listeners, React 18 only attributes. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react'
import type { WechatBind } from '../index.js'
import type { WechatBindListeners, WechatBindProps } from './props.js'

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'wechat-bind': Omit<DetailedHTMLProps<HTMLAttributes<WechatBind>, WechatBind>, keyof WechatBindProps> &
        WechatBindProps &
        WechatBindListeners & { 'token-url'?: string }
    }
  }
}
