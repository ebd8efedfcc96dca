import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const BLOCK = 512

/** Reads a tarball of `npm pack` (ustar, files only), because a minimal system may have no tar. */
export function readTarball(file: string): { path: string; bytes: Uint8Array }[] {
  const archive = gunzipSync(readFileSync(file))
  const files = []
  // The archive ends with blocks of zeros.
  for (let start = 0; archive[start]; ) {
    const field = (from: number, length: number) =>
      archive.toString('utf8', start + from, start + from + length).replace(/\0.*$/s, '')
    const [name, size, type, prefix] = [
      field(0, 100),
      Number.parseInt(field(124, 12), 8),
      field(156, 1),
      field(345, 155),
    ]
    if (type !== '0') throw new Error(`${file} holds an entry of type ${type}: ${name}`)
    const body = start + BLOCK
    files.push({ path: prefix ? `${prefix}/${name}` : name, bytes: archive.subarray(body, body + size) })
    start = body + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}
