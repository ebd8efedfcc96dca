/** A finding of the doctor: a sentence in both languages, and a fix unless the level is `ok`. */
import type { Bilingual } from '../errors.ts'

export type Level = 'ok' | 'warn' | 'wrong'

/**
 * Scripts of operators read `id` and `level`, so both are public API. No text contains a secret, a token or an openid.
 * `addresses` are the addresses and ranges that WeChat named, for firewall rules.
 */
export type Finding = { id: string; level: Level; en: string; zh: string; fix?: Bilingual; addresses?: string[] }

/** The sentence about a fault, and its fix. */
export type Fault = Bilingual & { fix: Bilingual }

export const ok = (id: string, { en, zh }: Bilingual): Finding => ({ id, level: 'ok', en, zh })
export const warn = (id: string, { en, zh, fix }: Fault): Finding => ({ id, level: 'warn', en, zh, fix })
export const wrong = (id: string, { en, zh, fix }: Fault): Finding => ({ id, level: 'wrong', en, zh, fix })

/** Returns the process's exit code. A warning does not fail a deployment. */
export const exitCodeOf = (findings: Finding[]) => (findings.some(({ level }) => level === 'wrong') ? 1 : 0)
