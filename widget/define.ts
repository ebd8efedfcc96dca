/** Registers the tag. Does nothing on a server, or if another bundle on the page has already registered the tag. */
import { WechatBind } from './wechat-bind.ts'

if (globalThis.customElements && !customElements.get('wechat-bind')) customElements.define('wechat-bind', WechatBind)

export { WechatBind }
