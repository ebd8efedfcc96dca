/** Builds the image and the package in temporary folders, as the Dockerfile and npm do, without a container engine. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { npmCacheOr } from '../support/npm-cache.ts'
import { SECRET } from '../support/test-server.ts'
import { contextOf, readStages, restOf, root, variablesOf, wordsOf } from './dockerfile.ts'
import { freePort } from './ports.ts'
import { readTarball } from './tarball.ts'

const run = promisify(execFile)

const [build = [], image = []] = readStages('deploy/Dockerfile')
const context = contextOf('deploy/Dockerfile.dockerignore')

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-image-'))
const source = join(folder, 'src')
/** The WORKDIR of the image. */
const app = join(folder, 'app')
const children: ChildProcess[] = []

// Contains only PATH, HOME, npm's cache and the access to the registry, like the environment of a fresh machine.
const machine = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(npm_config_(registry|cafile|userconfig)|NODE_EXTRA_CA_CERTS|(npm_config_)?(https?_|no_?)proxy)$/i.test(name),
    ),
  ),
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
  HOME: process.env.HOME,
  npm_config_cache: npmCacheOr(join(folder, 'npm-cache')),
}

const npm = (cwd: string, ...args: string[]) => run('npm', args, { cwd, env: machine })

beforeAll(async () => {
  mkdirSync(source)
  for (const entry of context.entries) {
    const filter = (path: string) => context.has(relative(root, path))
    cpSync(join(root, entry), join(source, entry), { recursive: true, filter })
  }
  // The build stage runs `npm ci`. This folder was installed from the same lock file, so its packages are used instead.
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
  // `npm pack` runs prepack, which is `npm run build` of the build stage.
  await npm(source, 'pack', '--pack-destination', folder)
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  for (const { path, bytes } of readTarball(join(folder, tarball))) {
    const file = join(app, path.replace(/^package\//, ''))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
  cpSync(join(root, 'package-lock.json'), join(app, 'package-lock.json'))
  await npm(app, 'ci', '--omit=dev', '--ignore-scripts', '--prefer-offline')
}, 300_000)

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settings = {
  WECHAT_APP_ID: 'wx1234567890abcdef',
  WECHAT_APP_SECRET: 'secret',
  WECHAT_TOKEN: 'token',
  WECHAT_ENCODING_AES_KEY: 'a'.repeat(43),
  BIND_KEYS: `k1:${SECRET}`,
  WECHAT_API_BASE: 'http://127.0.0.1:9',
}

/** Runs a command in the folder of the app; resolves once it logs its URL. */
async function start([command = '', ...args]: string[], env: Record<string, string>) {
  const child = spawn(command, args, {
    cwd: app,
    env: { ...machine, ...settings, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  for await (const line of createInterface(child.stdout)) {
    const { url } = JSON.parse(line) as { url?: string }
    if (url) return { child, url }
  }
  throw new Error('the server exited before it listened')
}

describe('the package', () => {
  test('starts in a fresh folder with only its dependencies', async () => {
    const { bin } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as { bin: Record<string, string> }
    const data = join(folder, 'package.db')
    const { url, child } = await start([process.execPath, bin['wechat-bind'] ?? '', 'serve'], {
      PORT: '0',
      DATABASE_URL: `sqlite:${data}`,
    })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    const widget = await fetch(`${url}/wechat-bind.js`)
    expect([widget.status, (await widget.text()).length > 10_000]).toEqual([200, true])
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  })

  test('contains no tests, settings or sources', () => {
    expect(readdirSync(app).sort()).toEqual(
      ['LICENSE', 'README.md', 'dist', 'node_modules', 'package-lock.json', 'package.json'].sort(),
    )
    const files = readdirSync(join(app, 'dist'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((name) => /(^|[\\/])test[\\/]|\.env|\.db$|(?<!\.d)\.ts$/.test(name))).toEqual([])
  })

  test('has no native dependency, so that it runs on any libc', () => {
    const files = readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' })
    expect(files.length).toBeGreaterThan(500)
    expect(files.filter((name) => name.endsWith('.node') || name.endsWith('binding.gyp'))).toEqual([])
  })
})

describe('deploy/Dockerfile', () => {
  test('copies only paths that exist and that the ignore file includes', () => {
    const copies = [...build, ...image].filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
    const sources = copies.flatMap(({ rest }) => rest.split(' ').slice(0, -1)).filter((each) => each !== '.')
    expect(sources.length).toBeGreaterThan(5)
    expect(sources.filter((each) => !context.entries.includes(each))).toEqual([])
  })

  test('copies all files that the build stage makes', () => {
    const { rest } = image.find((each) => each.name === 'COPY' && each.rest.startsWith('--from=build')) ?? { rest: '' }
    const [, from = '', to = ''] = /^--from=build (\S+) (\S+)$/.exec(rest) ?? []
    const made = join(folder, from)
    expect(readdirSync(made, { recursive: true }).length).toBe(readdirSync(join(app, to), { recursive: true }).length)
  })

  test('runs as a user other than root, given as a number', () => {
    expect(restOf(image, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    const [uid] = restOf(image, 'USER').split(':')
    expect(image.map(({ rest }) => rest).join('\n')).toContain(`chown ${uid}:`)
  })

  test.each([
    ['PORT', false],
    ['OPS_PORT', true],
  ])(
    'starts with its ENTRYPOINT and CMD, and its HEALTHCHECK reports whether it answers on %s',
    async (name, hasOps) => {
      const env = {
        ...variablesOf(restOf(image, 'ENV')),
        PORT: await freePort(),
        ...(hasOps ? { OPS_PORT: await freePort() } : {}),
        DATABASE_URL: `sqlite:${join(folder, `${name}.db`)}`,
      }
      const [command, ...args] = wordsOf(restOf(image, 'HEALTHCHECK'))
      const check = () =>
        run(command ?? '', args, { cwd: app, env: { ...machine, ...env } }).then(
          () => 'healthy',
          ({ code }: { code: number }) => `exit ${code}`,
        )
      expect(await check()).toBe('exit 1')
      const { child } = await start([...wordsOf(restOf(image, 'ENTRYPOINT')), ...wordsOf(restOf(image, 'CMD'))], env)
      expect(await check()).toBe('healthy')
      child.kill('SIGTERM')
      expect((await once(child, 'exit'))[0]).toBe(0)
    },
  )

  test('stores its database in its volume', () => {
    expect(variablesOf(restOf(image, 'ENV')).DATABASE_URL).toMatch(new RegExp(`^sqlite:${restOf(image, 'VOLUME')}/`))
  })
})
