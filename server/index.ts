/** The entry `wechat-bind-server`: the app, which you can mount in your own server. `openApp` needs Node; `createApp` does not. */
import './config/require-node.ts'

export { createApp } from './app.ts'
export { type Config, type Env, parseConfig } from './config/config.ts'
export { createConsole } from './console/console.ts'
export type { Deps } from './deps.ts'
export { BindError, type ErrorCode, errorCodes } from './errors.ts'
export {
  type OpenApp,
  type Overrides,
  /** @deprecated Renamed to `Overrides`. */
  type Overrides as Surroundings,
  openApp,
} from './open-app.ts'
export type { Fetch, Log, SetTimer } from './platform.ts'
export type { Store } from './store/store.ts'
export type * from './wire.ts'
