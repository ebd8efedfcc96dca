/**
 * Creates the two packages with `npm pack`, and installs them into an empty folder with the dependencies in their
 * package.json.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { readTarball } from '../deploy/tarball.ts'
import { npmCacheOr } from './npm-cache.ts'

export const root = join(import.meta.dirname, '../..')

export type Manifest = {
  name: string
  version: string
  private?: boolean
  bin?: Record<string, string>
  exports?: Record<string, string | Record<string, string>>
  engines?: { node: string }
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

export const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** The source folder of each package. */
export const packages = { 'wechat-bind': join(root, 'widget'), 'wechat-bind-server': join(root, 'server') }
export type PackageName = keyof typeof packages

/** Packs a package into `folder` and returns the path of its tarball. Needs a built `dist`. */
export async function pack(name: PackageName, folder: string): Promise<string> {
  const command = ['pack', '--workspace', name, '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await promisify(execFile)('npm', [...command, '--cache', npmCacheOr(join(folder, 'npm-cache'))], {
    cwd: root,
  })
  const output = JSON.parse(stdout) as { filename: string }[] | Record<string, { filename: string }>
  return join(folder, Object.values(output)[0]!.filename)
}

export type Installed = {
  folder: string
  /** The names of all installed packages: the packages of the project and all their dependencies. */
  names: string[]
  remove(): void
}

/**
 * Does the same as `npm install`, but without a registry. The packages in `tarballs` become real folders, and their
 * dependencies become links to this checkout. A module in such a package can therefore not import a package that its
 * package.json does not name.
 */
export function install(tarballs: Partial<Record<PackageName, string>>): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-installed-'))
  const modules = join(folder, 'node_modules')
  const names = new Set<string>()

  function link(name: string): void {
    if (names.has(name)) return
    names.add(name)
    const from = join(root, 'node_modules', name)
    const to = join(modules, name)
    mkdirSync(dirname(to), { recursive: true })
    if (!existsSync(to)) symlinkSync(from, to)
    for (const dependency of Object.keys(manifestIn(from).dependencies ?? {})) link(dependency)
  }

  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  for (const [name, tarball] of Object.entries(tarballs)) {
    names.add(name)
    for (const { path, bytes } of readTarball(tarball)) {
      const file = join(modules, name, path.replace(/^package\//, ''))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
    }
    const { bin = {}, dependencies = {} } = manifestIn(join(modules, name))
    for (const dependency of Object.keys(dependencies)) link(dependency)
    mkdirSync(join(modules, '.bin'), { recursive: true })
    for (const [command, path] of Object.entries(bin))
      symlinkSync(join('..', name, path), join(modules, '.bin', command))
  }
  return { folder, names: [...names].sort(), remove: () => rmSync(folder, { recursive: true }) }
}

/** Copies files of the checkout into an installed folder. */
export const copyInto = ({ folder }: Installed, ...paths: string[]) => {
  for (const path of paths) cpSync(join(root, path), join(folder, path), { recursive: true })
}
