import type { BindEventMap, WechatBind } from '../index.js'

/**
 * The properties that a page can set on the tag. The attribute `refresh` is missing here, because a framework that sets
 * properties would overwrite the method `refresh()` with a string. Use `refreshMode` instead.
 */
export type WechatBindProps = Partial<
  Pick<
    WechatBind,
    | 'server'
    | 'token'
    | 'tokenUrl'
    | 'getToken'
    | 'lang'
    | 'display'
    | 'size'
    | 'theme'
    | 'refreshMode'
    | 'watch'
    | 'manual'
    | 'messages'
  >
>

/** Event listeners such as `onbound`. */
export type WechatBindListeners = {
  [Name in keyof BindEventMap as `on${Name}`]?: (event: BindEventMap[Name]) => void
}
