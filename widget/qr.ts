/** Draws the server's QR path: as an SVG for desktop screens, as a PNG for a long press in WeChat and for saving. */
import { html, type TemplateResult } from 'lit'
import type { QrPath } from '../server/wire.ts'

/** ISO/IEC 18004 requires a quiet zone of four modules. Some scanners do not detect a code with fewer modules. */
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

/** An `img` for WeChat's long press. `onError` is called when the page's content policy forbids `data:` images. */
export function qrImage(qr: QrPath, label: string, onError: () => void): TemplateResult {
  return html`<img class="qr" part="qr" @error=${onError} src=${qrPng(qr)} alt=${label} />`
}

const pictures = new WeakMap<QrPath, string>()

/** Returns a data URL, because WeChat's long press does not recognise a blob URL. Each ticket is drawn once. */
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
