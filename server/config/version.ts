/**
 * The version of this package, and whether Node is new enough for it. The bin imports this file first, so this file must run in an
 * old Node. Node only.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Manifest = { version: string; engines: { node: string } }

let manifest: Manifest | undefined

/** Reads the package.json of the installed package or of the checkout: the nearest one above this file. */
function readManifest(): Manifest {
  if (manifest) return manifest
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  return manifest
}

export const readVersion = (): string => readManifest().version

/** The name of this server in its own requests. */
export const readUserAgent = (): string => `wechat-bind/${readVersion()}`

/** Returns a line with the required version of Node, or undefined if `version` is new enough. */
export function findNodeFault(
  version: string = process.versions.node,
  range: string = readManifest().engines.node,
): string | undefined {
  const needed = range.replace(/[^\d.]/g, '')
  const [wantedMajor = 0, wantedMinor = 0] = needed.split('.').map(Number)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined
  return `wechat-bind needs Node ${needed} or newer, this is Node ${version}. 需要 Node ${needed} 或更高版本，当前为 ${version}。`
}
