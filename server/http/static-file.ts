/** Reads the built widget from `dist` of a checkout or from the published package. Node only. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

type WidgetFile = { text: string; etag: string }

const places = ['../../dist/cdn/wechat-bind.js', '../../cdn/wechat-bind.js']

let known: { file: WidgetFile | undefined } | undefined

/** Reads the file once, because it changes only with the package. */
export function readWidgetFile(): WidgetFile | undefined {
  known ??= { file: readBuiltFile() }
  return known.file
}

function readBuiltFile(): WidgetFile | undefined {
  const found = places.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url))
  if (!found) return undefined
  const text = readFileSync(found, 'utf8')
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` }
}
