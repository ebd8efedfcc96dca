/**
 * Draws the QR code from the SVG path of the server. On a desktop screen the QR code is an SVG. For a long press in
 * WeChat and for saving it is a PNG.
 */
import { html, type TemplateResult } from 'lit'
import type { QrPath } from '../server/wire.ts'

/**
 * ISO/IEC 18004 requires an empty border of four modules (the quiet zone). Some scanners do not detect a QR code with a
 * narrower border.
 */
const QUIET_MODULES = 4
const DARK = '#111'
/** 200 CSS px at three device pixels each, rounded up. */
const PNG_MIN_PX = 640

export function qrSvg({ size, path }: QrPath, label: string): TemplateResult {
  const side = size + 2 * QUIET_MODULES
  const box = `${-QUIET_MODULES} ${-QUIET_MODULES} ${side} ${side}`
  return html`<svg class="qr" part="qr" viewBox=${box} role="img" aria-label=${label} shape-rendering="crispEdges">
    <path fill=${DARK} d=${path} />
  </svg>`
}

/**
 * Returns an `img`, because a long press in WeChat needs one. Calls `onError` when the page's content policy forbids
 * `data:` images.
 */
export function qrImage(qr: QrPath, label: string, onError: () => void): TemplateResult {
  return html`<img class="qr" part="qr" @error=${onError} src=${qrPng(qr)} alt=${label} />`
}

const pictures = new WeakMap<QrPath, string>()

/**
 * Returns a data URL, because a long press in WeChat does not recognise an image with a blob URL. Draws each QR code
 * only once.
 */
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
