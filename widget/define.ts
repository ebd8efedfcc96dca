/** Registers the tag. Does nothing on a server and when the tag is already registered (several bundles on one page). */
import { WechatBind } from './wechat-bind.ts'

if (globalThis.customElements && !customElements.get('wechat-bind')) customElements.define('wechat-bind', WechatBind)

export { WechatBind }
