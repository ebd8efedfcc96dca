/** Reads a QR code as a camera does: draws the path on white with an empty border, and decodes the pixels. */
import jsqr from 'jsqr'
import type { QrPath } from '../../server/wire.ts'

// jsqr is a CommonJS package with a `default` export. Bundlers import this export as the default, but Node does not.
const decode =
  (jsqr as unknown as { default?: typeof jsqr.default }).default ?? (jsqr as unknown as typeof jsqr.default)

const QUIET = 4

export function readQr({ size, path }: QrPath, scale = 4): string | undefined {
  const side = (size + 2 * QUIET) * scale
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255)
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = 0; row < scale; row++) {
      for (let column = 0; column < Number(width) * scale; column++) {
        const at = (((Number(y) + QUIET) * scale + row) * side + (Number(x) + QUIET) * scale + column) * 4
        pixels.fill(0, at, at + 3)
      }
    }
  }
  return decode(pixels, side, side)?.data
}
