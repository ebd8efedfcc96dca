/** Reads the built page of the console from `dist` of a checkout or from the published package. Node only. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConsolePage, PageFile } from '../deps.ts'

const places = ['../../dist/console', '../../console'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.md': 'text/plain; charset=utf-8',
}

let known: { page: ConsolePage | undefined } | undefined

/** Reads the files once, because they change only with the package. Only these files can be requested, whatever the path. */
export function readConsolePage(folders?: string[]): ConsolePage | undefined {
  if (folders) return readPage(folders)
  known ??= { page: readPage(places) }
  return known.page
}

function readPage(folders: string[]): ConsolePage | undefined {
  const folder = folders.find((each) => existsSync(join(each, 'index.html')))
  if (folder === undefined) return undefined
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => extname(name) in types)
  const files = new Map(names.map((name) => [name.split(sep).join('/'), toFile(join(folder, name), name)]))
  return { find: (path) => files.get(path) }
}

function toFile(path: string, name: string): PageFile {
  const body = new Uint8Array(readFileSync(path))
  return {
    body,
    type: types[extname(name)]!,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    // Vite puts a hash of the content into the names of these files.
    isImmutable: name.startsWith('assets'),
  }
}
