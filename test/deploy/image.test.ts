/** Builds the image in temporary folders, by the instructions of the Dockerfile, without a container engine. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { npmCacheOr } from '../support/npm-cache.ts'
import { SECRET } from '../support/test-server.ts'
import { contextOf, readStages, restOf, root, variablesOf, wordsOf } from './dockerfile.ts'
import { freePort } from './ports.ts'

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

type Instruction = (typeof image)[number]

/** The arguments of the npm command with which a RUN instruction begins. */
const argumentsOf = (instruction: Instruction | undefined) =>
  /^npm ([^&]+?)(?: &&|$)/.exec(instruction?.rest ?? '')?.[1]?.split(' ') ?? []

/** A COPY instruction; `from` is the stage, or undefined for the context. */
function copyOf({ name, rest }: Instruction): { from: string | undefined; paths: string[]; to: string }[] {
  if (name !== 'COPY') return []
  const words = rest.split(' ')
  const [, from] = /^--from=(.+)/.exec(words[0] ?? '') ?? []
  return [{ from, paths: words.slice(from ? 1 : 0, -1), to: words.at(-1) ?? '' }]
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
  await npm(source, ...argumentsOf(build.findLast(({ name }) => name === 'RUN')))
  for (const { from, paths, to } of image.flatMap(copyOf))
    for (const path of paths) {
      const target = /\/$/.test(to) ? join(app, to, basename(path)) : join(app, to)
      cpSync(from === 'build' ? join(folder, path) : join(root, path), target, { recursive: true })
    }
  await npm(app, ...argumentsOf(image.find(({ name }) => name === 'RUN')), '--prefer-offline')
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

describe('the image', () => {
  test('starts with only the dependencies of wechat-bind-server', async () => {
    const [, ...command] = wordsOf(restOf(image, 'ENTRYPOINT'))
    const { url, child } = await start([process.execPath, ...command, 'serve'], {
      PORT: '0',
      DATABASE_URL: `sqlite:${join(folder, 'package.db')}`,
    })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    const widget = await fetch(`${url}/wechat-bind.js`)
    expect([widget.status, (await widget.text()).length > 10_000]).toEqual([200, true])
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  })

  test('contains no tests, settings or sources', () => {
    expect(readdirSync(app).sort()).toEqual(
      ['.npmrc', 'LICENSE', 'node_modules', 'package-lock.json', 'package.json', 'server'].sort(),
    )
    expect(readdirSync(join(app, 'node_modules'))).not.toContain('lit')
    const files = readdirSync(join(app, 'server'), { recursive: true, encoding: 'utf8' })
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
    const copies = [...build, ...image].flatMap(copyOf).filter(({ from }) => !from)
    const sources = copies.flatMap(({ paths }) => paths).filter((each) => each !== '.')
    expect(sources.length).toBeGreaterThan(5)
    const isInContext = (path: string) => context.entries.includes(path.split('/')[0] ?? '') && context.has(path)
    expect(sources.filter((each) => !isInContext(each) || !existsSync(join(root, each)))).toEqual([])
  })

  test('copies all files that the build stage makes', () => {
    const [copy] = image.flatMap(copyOf).filter(({ from }) => from === 'build')
    const made = readdirSync(join(folder, copy?.paths[0] ?? ''), { recursive: true })
    expect(made.length).toBeGreaterThan(200)
    expect(made.length).toBe(readdirSync(join(app, copy?.to ?? ''), { recursive: true }).length)
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
