/** Finds the built widget beside the server: in `dist` of a checkout, or in the published package. NODE. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

export type WidgetFile = { text: string; etag: string }

const places = ['../../dist/cdn/wechat-bind.js', '../../cdn/wechat-bind.js']

/** Read once: it changes with the package, not while it runs. */
export function readWidgetFile(): WidgetFile | undefined {
  const found = places.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url))
  if (!found) return undefined
  const text = readFileSync(found, 'utf8')
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` }
}
