/** Encodes a text as a QR code and returns an SVG path. The element draws the path, so it needs no encoder. */
import { create } from 'qrcode'
import type { QrPath } from '../wire.ts'

/** Uses error correction level M (15 %), as WeChat does in its own pictures. */
export function toQrPath(text: string): QrPath {
  const { size, data } = create(text, { errorCorrectionLevel: 'M' }).modules
  return { size, path: Array.from({ length: size }, (_, y) => rowPath(data, size, y)).join('') }
}

/** Draws each run of dark modules in a row as a rectangle of height 1. */
function rowPath(data: Uint8Array, size: number, y: number): string {
  let path = ''
  for (let x = 0; x < size; x++) {
    const start = x
    while (x < size && data[y * size + x]) x++
    if (x > start) path += `M${start} ${y}h${x - start}v1h-${x - start}z`
  }
  return path
}
