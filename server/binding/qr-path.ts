/** A text as a QR: the picture travels as an SVG path, so that the widget carries no encoder. */
import { create } from 'qrcode'
import type { QrPath } from '../wire.ts'

/** Level M (15 % of the picture may be lost): what WeChat's own pictures have. */
export function toQrPath(text: string): QrPath {
  const { size, data } = create(text, { errorCorrectionLevel: 'M' }).modules
  return { size, path: Array.from({ length: size }, (_, y) => rowPath(data, size, y)).join('') }
}

/** The runs of dark modules in a row, each a rectangle of height 1. */
function rowPath(data: Uint8Array, size: number, y: number): string {
  let path = ''
  for (let x = 0; x < size; x++) {
    const start = x
    while (x < size && data[y * size + x]) x++
    if (x > start) path += `M${start} ${y}h${x - start}v1h-${x - start}z`
  }
  return path
}
