/** Checks fields of WeChat's answers: another value would fail later, in a URL, a QR code or the database. */

/** 1 to `maxLength` printable ASCII characters: no space, no control character, no lone surrogate. */
export const isPrintable = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && value.length <= maxLength && /^[\x21-\x7e]+$/.test(value)

/** At least one, in seconds. JSON has no NaN, but a number such as 1e999 becomes Infinity. */
export const isDuration = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 1
