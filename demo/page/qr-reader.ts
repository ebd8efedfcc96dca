/** The phone's camera: it reads what the page really draws, not what the element knows. */
import jsqr from 'jsqr'

// A CommonJS package with a `default` member, which some bundlers unwrap and others leave.
const decode =
  (jsqr as unknown as { default?: typeof jsqr.default }).default ?? (jsqr as unknown as typeof jsqr.default)

type Picture = SVGSVGElement | HTMLImageElement | HTMLCanvasElement

/** What the camera saw, and the text of the QR code in it. */
type Shot = { view: HTMLCanvasElement; text?: string }

// A QR code of 29 modules below this has modules of 3 px: no camera reads it from a desk.
const SMALLEST_PX = 96
// Around the picture the camera also sees what lies beside it: without a quiet zone there the code cannot be read.
const MARGIN_PX = 16
const SCALE = 2

/** Takes a picture of the first readable code in an element of this name, or of the last thing that might have been one. */
export async function shoot(tagName: string): Promise<Shot | undefined> {
  let shot: Shot | undefined
  for (const picture of findPictures(tagName)) {
    const view = await photograph(picture)
    shot = { view, ...read(view) }
    if (shot.text !== undefined) break
  }
  return shot
}

/** The text of the code in one picture: a long press on it, or one from the album. */
export async function readPicture(picture: HTMLImageElement): Promise<string | undefined> {
  await picture.decode()
  const view = document.createElement('canvas')
  view.width = picture.naturalWidth
  view.height = picture.naturalHeight
  view.getContext('2d', { willReadFrequently: true })!.drawImage(picture, 0, 0)
  return read(view).text
}

function findPictures(tagName: string): Picture[] {
  const roots = [...document.querySelectorAll(tagName)].flatMap(({ shadowRoot }) => shadowRoot ?? [])
  return roots.flatMap((root) => [...root.querySelectorAll<Picture>('svg, img, canvas')]).filter(isInSight)
}

function isInSight(picture: Picture): boolean {
  const { width, height } = picture.getBoundingClientRect()
  const isLarge = width >= SMALLEST_PX && height >= SMALLEST_PX
  return isLarge && picture.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !isCovered(picture)
}

/** Whether something lies over the middle of it. Outside the window nobody can tell, and the page may be scrolled. */
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
  const brush = view.getContext('2d', { willReadFrequently: true })!
  brush.scale(SCALE, SCALE)
  brush.translate(MARGIN_PX - seen.left, MARGIN_PX - seen.top)
  const layers = ancestorsOf(picture).reverse()
  for (const layer of [...layers, picture]) paintBackground(brush, layer)
  brush.globalAlpha = [...layers, picture].reduce((alpha, layer) => alpha * Number(getComputedStyle(layer).opacity), 1)
  const image = picture instanceof SVGSVGElement ? await rasterise(picture) : picture
  brush.drawImage(image, seen.left, seen.top, seen.width, seen.height)
  return view
}

function paintBackground(brush: CanvasRenderingContext2D, layer: Element): void {
  const { left, top, width, height } = layer.getBoundingClientRect()
  brush.fillStyle = getComputedStyle(layer).backgroundColor
  // The outermost layer is all there is behind the page.
  if (layer === document.documentElement) brush.fillRect(-1e5, -1e5, 2e5, 2e5)
  else brush.fillRect(left, top, width, height)
}

/** The elements around it from the inside out, through shadow roots. */
function ancestorsOf(element: Element): Element[] {
  const root = element.getRootNode()
  const parent = element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null)
  return parent ? [parent, ...ancestorsOf(parent)] : []
}

/** The drawing as an image of its own: what style sheets give it is written into it, since none follow it there. */
async function rasterise(drawing: SVGSVGElement): Promise<HTMLImageElement> {
  const { width, height } = drawing.getBoundingClientRect()
  const copy = drawing.cloneNode(true) as SVGSVGElement
  const originals = [drawing, ...drawing.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  originals.forEach((original, index) => {
    const { fill, stroke } = getComputedStyle(original)
    // Attributes, because the page's policy allows no inline style.
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
