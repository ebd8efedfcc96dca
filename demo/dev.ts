/**
 * `npm run dev` starts the demo. Vite serves the pages, the console and the element from their sources, on the same port.
 * Vite reloads the browser when a source of a page or of the element is saved. Node's `--watch` starts this process again
 * when a file of the server or of the demo is saved. Vite's client in the browser then connects again and reloads. Node only.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { createServer as createVite, type ViteDevServer } from 'vite'
import type { Env } from '../server/config/config.ts'
import type { Fetching, Listening } from '../server/http/listen.ts'
import { closeOnSignal } from '../server/serve.ts'
import { type Demo, startDemo } from './demo.ts'
import { toTrustedNames } from './network-urls.ts'

const root = join(import.meta.dirname, '..')

/**
 * The pages by path. The demo itself serves the built pages from `dist/page`, with a content policy that would block
 * Vite's client.
 */
const pages: Record<string, string> = Object.fromEntries(
  [
    ['/', 'index.html'],
    ['/api.html', 'api.html'],
    ['/playground', 'playground.html'],
  ].map(([path, file]) => [path, join(root, 'demo/page', file!)]),
)

const element = join(root, 'widget/define.ts')

/** The folder of the console's page. The demo answers the API requests of this page. */
const consoleRoot = join(root, 'console')
const CONSOLE_PATH = '/console/'

/** Returns the source file of the console for a path below `/console/`. */
function consoleSource(page: string): string | undefined {
  if (!page.startsWith(CONSOLE_PATH)) return undefined
  const file = join(consoleRoot, page.slice(CONSOLE_PATH.length) || 'index.html')
  return file.startsWith(consoleRoot) && existsSync(file) ? file : undefined
}

export type Dev = Pick<Demo, 'url' | 'networkUrls' | 'close'>

/** `cacheDir` is the folder for Vite's copies of the dependencies. Two processes must not write to the same folder. */
export async function startDev(env: Env, dataDir: string, cacheDir = 'node_modules/.vite/dev'): Promise<Dev> {
  const server = createServer()
  let vite: ViteDevServer | undefined

  const startVite = (base: string) =>
    createVite({
      // With a config file, Vite would write a bundle into a folder that Node watches, and this process would restart
      // in a loop.
      configFile: false,
      root: join(root, 'demo/page'),
      base,
      publicDir: false,
      cacheDir: join(root, cacheDir),
      appType: 'custom',
      logLevel: env.LOG_LEVEL === 'silent' ? 'silent' : 'warn',
      resolve: { alias: { '/cdn/wechat-bind.js': element, '/wechat-bind.js': element } },
      // Vite scans the sources for dependencies, because the pages load the element from a path that Vite cannot resolve.
      optimizeDeps: {
        entries: ['*.ts', '../../widget/define.ts', '../../console/main.ts', '../../console/views/chart.ts'],
      },
      server: {
        middlewareMode: true,
        ws: { server },
        // `HOST=0.0.0.0` opens the port to the network, so Vite must not serve `data/`, which contains keys.
        fs: { allow: ['demo', 'console', 'widget', 'server', 'node_modules'].map((folder) => join(root, folder)) },
        allowedHosts: [...(toTrustedNames(env).hosts ?? [])],
      },
    })

  async function listen(
    { fetch, base }: Fetching & { base: string },
    host: string | undefined,
    port: number,
  ): Promise<Listening> {
    const started = await startVite(`${base}/`)
    vite = started
    const demo = getRequestListener(fetch)

    async function sendPage(path: string, file: string, response: ServerResponse): Promise<void> {
      const html = await readFile(file, 'utf8')
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(await started.transformIndexHtml(path, html))
    }

    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { method, url = '' } = request
      const [path = ''] = url.split('?')
      // Vite answers only below the secret path, because it writes this path into the files.
      if (!path.startsWith(`${base}/`)) return void demo(request, response)
      const page = path.slice(base.length)
      const source = method === 'GET' ? consoleSource(page) : undefined
      const file = method !== 'GET' ? undefined : page === CONSOLE_PATH ? source : pages[page]
      // This check for pages comes before Vite, because Vite would answer `/playground` with `playground.ts`.
      if (file) return void sendPage(page, file, response).catch((error) => response.writeHead(500).end(error.message))
      // The console's sources are outside of Vite's root.
      if (source) request.url = `${base}/@fs${source}${url.slice(path.length)}`
      started.middlewares(request, response, () => {
        // Vite has removed `base` from the URL.
        request.url = url
        void demo(request, response)
      })
    })
    server.listen(port, host)
    await once(server, 'listening')
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  const { url, networkUrls, close } = await startDemo({ env, dataDir, dist: join(root, 'dist'), listen }).catch(
    async (error) => {
      await vite?.close()
      throw error
    },
  )
  return {
    url,
    networkUrls,
    async close() {
      // Vite must close first. Otherwise the sockets of Vite's clients in the browsers would keep the server open.
      await vite?.close()
      await close()
    },
  }
}

if (import.meta.main) {
  try {
    const { url, networkUrls, close } = await startDev(process.env, 'data')
    closeOnSignal(close)
    console.log(`wechat-bind demo is ready and reloads when you save a file 演示已就绪，保存文件后自动刷新: ${url}`)
    for (const other of networkUrls) console.log(`Open on a phone 供手机访问: ${other}`)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
