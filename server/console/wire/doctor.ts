/** The page Doctor. */
import type { Words } from './advice.ts'

export type DoctorReport = { at: number | null; by: string | null; findings: Finding[] }

export type Finding = Words & { id: string; level: 'ok' | 'warn' | 'wrong'; fix?: Words; addresses?: string[] }
