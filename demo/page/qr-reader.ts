/** The simulated phone's camera. It draws the page's QR code with its styles, size and background, and decodes the pixels. */
import jsqr from 'jsqr'

// jsqr is a CommonJS package with a `default` export, which only some bundlers unwrap.
const decode =
  (jsqr as unknown as { default?: typeof jsqr.default }).default ?? (jsqr as unknown as typeof jsqr.default)

type Picture = SVGSVGElement | HTMLImageElement | HTMLCanvasElement

/** The picture and the decoded text of its QR code. */
type PageScan = { view: HTMLCanvasElement; text?: string }

// Below this size the modules of a QR code of 29 by 29 are under 3 px, which is too small for a phone's camera.
const SMALLEST_PX = 96
// The picture includes this margin around the code, because a camera also sees it. A code without a quiet zone then cannot be decoded.
const MARGIN_PX = 16
const SCALE = 2

/** Returns the first decodable QR code in an element of this name, otherwise the last picture that was tried. */
export async function scanPage(tagName: string): Promise<PageScan | undefined> {
  let shot: PageScan | undefined
  for (const picture of findPictures(tagName)) {
    const view = await photograph(picture)
    shot = { view, ...read(view) }
    if (shot.text !== undefined) break
  }
  return shot
}

/** The text of the QR code in an image, for a long press or an image from the album. */
export async function decodeImage(picture: HTMLImageElement): Promise<string | undefined> {
  await picture.decode()
  const view = document.createElement('canvas')
  view.width = picture.naturalWidth
  view.height = picture.naturalHeight
  view.getContext('2d', { willReadFrequently: true })!.drawImage(picture, 0, 0)
  return read(view).text
}

function findPictures(tagName: string): Picture[] {
  const roots = [...document.querySelectorAll(tagName)].flatMap(({ shadowRoot }) => shadowRoot ?? [])
  return roots.flatMap((root) => [...root.querySelectorAll<Picture>('svg, img, canvas')]).filter(isVisible)
}

function isVisible(picture: Picture): boolean {
  const { width, height } = picture.getBoundingClientRect()
  const isLarge = width >= SMALLEST_PX && height >= SMALLEST_PX
  return isLarge && picture.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !isCovered(picture)
}

/** Whether another element covers the centre of the picture. A picture outside the viewport counts as visible, because a cover cannot be detected there. */
function isCovered(picture: Picture): boolean {
  const { left, top, width, height } = picture.getBoundingClientRect()
  const root = picture.getRootNode() as ShadowRoot
  const uppermost = root.elementFromPoint(left + width / 2, top + height / 2)
  return uppermost !== null && !picture.contains(uppermost) && !uppermost.contains(picture)
}

async function photograph(picture: Picture): Promise<HTMLCanvasElement> {
  const seen = picture.getBoundingClientRect()
  const view = document.createElement('canvas')
  view.width = (seen.width + 2 * MARGIN_PX) * SCALE
  view.height = (seen.height + 2 * MARGIN_PX) * SCALE
  const context = view.getContext('2d', { willReadFrequently: true })!
  context.scale(SCALE, SCALE)
  context.translate(MARGIN_PX - seen.left, MARGIN_PX - seen.top)
  const layers = ancestorsOf(picture).reverse()
  for (const layer of [...layers, picture]) paintBackground(context, layer)
  context.globalAlpha = [...layers, picture].reduce(
    (alpha, layer) => alpha * Number(getComputedStyle(layer).opacity),
    1,
  )
  const image = picture instanceof SVGSVGElement ? await rasterise(picture) : picture
  context.drawImage(image, seen.left, seen.top, seen.width, seen.height)
  return view
}

function paintBackground(context: CanvasRenderingContext2D, layer: Element): void {
  const { left, top, width, height } = layer.getBoundingClientRect()
  context.fillStyle = getComputedStyle(layer).backgroundColor
  // The background of the root element fills the whole canvas.
  if (layer === document.documentElement) context.fillRect(-1e5, -1e5, 2e5, 2e5)
  else context.fillRect(left, top, width, height)
}

/** The element's ancestors from the inside out, across shadow roots. */
function ancestorsOf(element: Element): Element[] {
  const root = element.getRootNode()
  const parent = element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null)
  return parent ? [parent, ...ancestorsOf(parent)] : []
}

/** Renders an SVG as an image. Style sheets do not apply inside the image, so computed colours are written into attributes. */
async function rasterise(drawing: SVGSVGElement): Promise<HTMLImageElement> {
  const { width, height } = drawing.getBoundingClientRect()
  const copy = drawing.cloneNode(true) as SVGSVGElement
  const originals = [drawing, ...drawing.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  originals.forEach((original, index) => {
    const { fill, stroke } = getComputedStyle(original)
    // The colours are set as attributes, because the page's content policy forbids inline styles.
    copies[index]?.setAttribute('fill', fill)
    copies[index]?.setAttribute('stroke', stroke)
    copies[index]?.removeAttribute('style')
  })
  copy.setAttribute('width', String(width * SCALE))
  copy.setAttribute('height', String(height * SCALE))
  const image = new Image()
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`
  await image.decode()
  return image
}

function read(view: HTMLCanvasElement): { text?: string } {
  const { data, width, height } = view.getContext('2d')!.getImageData(0, 0, view.width, view.height)
  const code = decode(data, width, height, { inversionAttempts: 'dontInvert' })
  return code ? { text: code.data } : {}
}
