/** What a team mounts in a server of its own. Opening the store is NODE; the app itself is portable. */
export { createApp } from './app.ts'
export { type Config, type Env, parseConfig } from './config/config.ts'
export type { Deps } from './deps.ts'
export { BindError, type ErrorCode, errorCodes } from './errors.ts'
export { type OpenApp, type Overrides, openApp } from './open-app.ts'
export type { Store } from './store/store.ts'
export type * from './wire.ts'
