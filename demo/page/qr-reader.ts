/**
 * The simulated phone's camera. It draws the QR code as the page displays it, with the same styles, size and
 * background, and decodes the pixels.
 */
import jsqr from 'jsqr'

// jsqr is a CommonJS package with a `default` export. Only some bundlers import this export as the default.
const decode =
  (jsqr as unknown as { default?: typeof jsqr.default }).default ?? (jsqr as unknown as typeof jsqr.default)

type Picture = SVGSVGElement | HTMLImageElement | HTMLCanvasElement

/** The picture, and the text that its QR code contains. */
type PageScan = { view: HTMLCanvasElement; text?: string }

// The smallest size that the camera can read. Below this size, the modules of a QR code of 29 by 29 modules are smaller
// than 3 px.
const SMALLEST_PX = 96
// The picture includes this margin around the QR code, as in a camera. Therefore the camera cannot decode a QR code
// without an empty border.
const MARGIN_PX = 16
const SCALE = 2

/**
 * Returns the first QR code that can be decoded in an element of this name. Without one, returns the last picture that
 * was tried.
 */
export async function scanPage(tagName: string): Promise<PageScan | undefined> {
  let shot: PageScan | undefined
  for (const picture of findPictures(tagName)) {
    const view = await photograph(picture)
    shot = { view, ...read(view) }
    if (shot.text !== undefined) break
  }
  return shot
}

/** Returns the text of the QR code in an image. The image is from a long press or from the album. */
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

/**
 * Returns whether another element covers the centre of the picture. Outside the viewport, the function cannot detect
 * this and returns false.
 */
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
  // The browser draws the background of the root element behind the whole page.
  if (layer === document.documentElement) context.fillRect(-1e5, -1e5, 2e5, 2e5)
  else context.fillRect(left, top, width, height)
}

/** Returns the element's ancestors, the nearest first, across shadow roots. */
function ancestorsOf(element: Element): Element[] {
  const root = element.getRootNode()
  const parent = element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null)
  return parent ? [parent, ...ancestorsOf(parent)] : []
}

/**
 * Renders an SVG as an image. Style sheets do not apply inside the image, so this function writes the computed colours
 * into attributes.
 */
async function rasterise(drawing: SVGSVGElement): Promise<HTMLImageElement> {
  const { width, height } = drawing.getBoundingClientRect()
  const copy = drawing.cloneNode(true) as SVGSVGElement
  const originals = [drawing, ...drawing.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  originals.forEach((original, index) => {
    const { fill, stroke } = getComputedStyle(original)
    // The colours are attributes and not inline styles, because the page's content policy forbids inline styles.
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
