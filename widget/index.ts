/** The public exports. The module has no side effects; `wechat-bind/define` registers the tag. */
export type { BindEventDetails, BindEventMap } from './events.ts'
export type { Language, Messages } from './messages.ts'
export type { StateName } from './state.ts'
export { WechatBind } from './wechat-bind.ts'
