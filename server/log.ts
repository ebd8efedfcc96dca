/** What the app asks of a logger; pino fits as it is. Nothing logged holds a secret, an openid, a token or chat text. */
export type Log = {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
