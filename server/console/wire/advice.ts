/** Texts for operators, and the lights that need them. */

/** A text for operators, in English and in Chinese. */
export type Words = { en: string; zh: string }

/** What is wrong, and what to do about it. */
export type Advice = Words & { fix?: Words }

/** `unknown`: there are no measurements yet. `advice` is present for `warn` and `bad`. */
export type Light = { light: 'ok' | 'warn' | 'bad' | 'unknown'; advice?: Advice }
