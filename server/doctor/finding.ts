/** What the doctor says: one plain sentence in both languages, and the fix where there is one. */
import type { Words } from '../config/env-reader.ts'

export type Level = 'ok' | 'warn' | 'wrong'

/** `id` and `level` are API: other people's scripts ask for them. No word of it holds a secret, a token or an openid. */
export type Finding = { id: string; level: Level; en: string; zh: string; fix?: Words }

/** A fault and what to do about it. */
export type Trouble = Words & { fix: Words }

export const ok = (id: string, { en, zh }: Words): Finding => ({ id, level: 'ok', en, zh })
export const warn = (id: string, { en, zh, fix }: Trouble): Finding => ({ id, level: 'warn', en, zh, fix })
export const wrong = (id: string, { en, zh, fix }: Trouble): Finding => ({ id, level: 'wrong', en, zh, fix })

/** The process's exit code: a warning does not fail a deployment. */
export const exitCodeOf = (findings: Finding[]) => (findings.some(({ level }) => level === 'wrong') ? 1 : 0)
