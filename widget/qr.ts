/** The server's QR path as an SVG for screens, and as a PNG for what wants a picture: a long press, or the album. */
import { html, type TemplateResult } from 'lit'
import type { QrPath } from '../server/wire.ts'

/** ISO/IEC 18004 asks for four modules of quiet zone; fewer, and some scanners do not see the code. */
const QUIET_MODULES = 4
const DARK = '#111'
/** Enough for 200 CSS px at three device pixels each. */
const PNG_MIN_PX = 640

/** The code as vector: sharp at any size. */
export function qrSvg({ size, path }: QrPath, label: string): TemplateResult {
  const side = size + 2 * QUIET_MODULES
  const box = `${-QUIET_MODULES} ${-QUIET_MODULES} ${side} ${side}`
  return html`<svg class="qr" part="qr" viewBox=${box} role="img" aria-label=${label} shape-rendering="crispEdges">
    <path fill=${DARK} d=${path} />
  </svg>`
}

/** The code as a picture that WeChat's long press recognises and a phone's album keeps. */
export function qrImage(qr: QrPath, label: string, onError: () => void): TemplateResult {
  return html`<img class="qr" part="qr" @error=${onError} src=${qrPng(qr)} alt=${label} />`
}

const pictures = new WeakMap<QrPath, string>()

/** A data URL, because WeChat's long press cannot read a blob's; drawn once per ticket. */
export function qrPng(qr: QrPath): string {
  const picture = pictures.get(qr) ?? drawPng(qr)
  pictures.set(qr, picture)
  return picture
}

function drawPng({ size, path }: QrPath): string {
  const side = size + 2 * QUIET_MODULES
  const scale = Math.ceil(PNG_MIN_PX / side)
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = side * scale
  const pen = canvas.getContext('2d')
  if (!pen) return ''
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  pen.scale(scale, scale)
  pen.translate(QUIET_MODULES, QUIET_MODULES)
  pen.fillStyle = DARK
  pen.fill(new Path2D(path))
  return canvas.toDataURL()
}
