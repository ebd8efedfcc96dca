/** Checks fields of WeChat's answers, because a wrong value would fail later, in a URL, a QR code or the database. */

/** Accepts 1 to `maxLength` printable ASCII characters, without spaces. */
export const isPrintable = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && value.length <= maxLength && /^[\x21-\x7e]+$/.test(value)

/** Accepts a finite number of seconds, at least 1. JSON has no NaN, but a number such as 1e999 becomes Infinity. */
export const isDuration = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 1
