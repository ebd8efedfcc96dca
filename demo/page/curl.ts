/** Formats a recorded request as a curl command that sends it again unchanged. */
import type { WireEntry } from '../simulator/traffic-log.ts'

export function toCurl({ method, url, headers, raw }: WireEntry): string {
  const parts = ['curl', ...(method === 'GET' ? [] : ['-X', method]), quote(url)]
  for (const [name, value] of Object.entries(headers)) parts.push('-H', quote(`${name}: ${value}`))
  if (raw !== '') parts.push('--data-raw', quote(raw))
  return parts.join(' ')
}

/** Quotes for a POSIX shell. Inside single quotes only the single quote needs an escape. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
