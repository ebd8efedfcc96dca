/** Registers the tag. A second load, a page of several bundles and a server are all harmless. */
import { WechatBind } from './wechat-bind.ts'

if (globalThis.customElements && !customElements.get('wechat-bind')) customElements.define('wechat-bind', WechatBind)

export { WechatBind }
