import type { BindEventMap, WechatBind } from '../index.js'

/**
 * What a page sets on the tag, by the property's name. The attribute `refresh` is missing on purpose: frameworks that set
 * properties would put a text in the place of the method of that name, so it is `refreshMode` here.
 */
export type WechatBindProps = Partial<
  Pick<
    WechatBind,
    | 'server'
    | 'token'
    | 'tokenUrl'
    | 'getToken'
    | 'lang'
    | 'size'
    | 'theme'
    | 'refreshMode'
    | 'watch'
    | 'manual'
    | 'messages'
  >
>

/** Listeners as `onbound`. */
export type WechatBindListeners = {
  [Name in keyof BindEventMap as `on${Name}`]?: (event: BindEventMap[Name]) => void
}
