/** A finding of the doctor: one sentence in both languages, and the fix unless all is well. */
import type { Bilingual } from '../errors.ts'

export type Level = 'ok' | 'warn' | 'wrong'

/**
 * `id` and `level` are API: scripts of operators read them. No text contains a secret, a token or an openid.
 * `addresses`: the addresses and ranges that WeChat named, for rules of a firewall.
 */
export type Finding = { id: string; level: Level; en: string; zh: string; fix?: Bilingual; addresses?: string[] }

/** A fault and its fix. */
export type Fault = Bilingual & { fix: Bilingual }

export const ok = (id: string, { en, zh }: Bilingual): Finding => ({ id, level: 'ok', en, zh })
export const warn = (id: string, { en, zh, fix }: Fault): Finding => ({ id, level: 'warn', en, zh, fix })
export const wrong = (id: string, { en, zh, fix }: Fault): Finding => ({ id, level: 'wrong', en, zh, fix })

/** The process's exit code. A warning does not fail a deployment. */
export const exitCodeOf = (findings: Finding[]) => (findings.some(({ level }) => level === 'wrong') ? 1 : 0)
