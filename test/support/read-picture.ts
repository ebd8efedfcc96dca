/** Reads the QR code in a screenshot with two independent decoders. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import jsqr from 'jsqr'
import { PNG } from 'pngjs'
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'

const decode =
  (jsqr as unknown as { default?: typeof jsqr.default }).default ?? (jsqr as unknown as typeof jsqr.default)

// By default the package fetches the file from a CDN.
const wasm = readFileSync(createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'))
prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(wasm).buffer } })

/** The text that each decoder reads. Only dark modules on a light ground count, as for many scanners. */
export async function readPicture(picture: Buffer): Promise<(string | undefined)[]> {
  const { data, width, height } = PNG.sync.read(picture)
  const [code] = await readBarcodes(new Uint8Array(picture), { formats: ['QRCode'], tryInvert: false })
  const pixels = new Uint8ClampedArray(data)
  return [decode(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data, code?.text]
}
