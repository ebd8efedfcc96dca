/** A request of the wire as a command line that sends it again, byte for byte. */
import type { WireEntry } from '../simulator/traffic-log.ts'

export function toCurl({ method, url, headers, raw }: WireEntry): string {
  const parts = ['curl', ...(method === 'GET' ? [] : ['-X', method]), quote(url)]
  for (const [name, value] of Object.entries(headers)) parts.push('-H', quote(`${name}: ${value}`))
  if (raw !== '') parts.push('--data-raw', quote(raw))
  return parts.join(' ')
}

/** For a POSIX shell: within single quotes everything stands for itself but the quote. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
