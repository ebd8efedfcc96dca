/** Runs the proxies of deploy/ on loopback. Only the names, ports and certificates in their files are changed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './dockerfile.ts'

type Proxy = {
  name: string
  command: string
  /** The line of the proxy's log that follows the opening of its ports. */
  readyLine: string
  write(place: Place): string[]
}

/** The ports of the proxy, the host and port of the server behind it, and a folder for its files. */
type Place = { port: string; spare: string; upstream: string; second?: string; folder: string }

const textOf = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8')

const nginx: Proxy = {
  name: 'nginx.conf',
  command: 'nginx',
  readyLine: 'start worker processes',
  write({ port, spare, upstream, second, folder }) {
    const site = textOf('nginx.conf')
      .replace('listen 443 ssl http2;', `listen 127.0.0.1:${port};`)
      .replace('listen 80;', `listen 127.0.0.1:${spare};`)
      .replace(/listen \[::\]:.*\n|ssl_certificate.*\n/g, '')
      .replaceAll('/var/log/nginx', folder)
      .replace('server 127.0.0.1:4000', `server ${upstream}`)
      .replace('#server 127.0.0.1:4010', second ? `server ${second}` : '#')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    )
    const main = `pid ${folder}/pid; error_log stderr notice; daemon off; worker_processes 1; events {}
      http { access_log off; ${temporary.join(' ')} ${site} }`
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'nginx.conf'), main)
    return ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr']
  },
}

const caddy: Proxy = {
  name: 'Caddyfile',
  command: 'caddy',
  readyLine: 'serving initial configuration',
  write({ port, upstream, second, folder }) {
    const site = textOf('Caddyfile')
      .replace('reverse_proxy 127.0.0.1:4000', `reverse_proxy ${second ? `${upstream} ${second}` : upstream}`)
      .replace('bind.example {', `http://127.0.0.1:${port} {`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'Caddyfile'), `{\n\tadmin off\n}\n${site}`)
    return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile']
  },
}

export const proxies = [nginx, caddy]

export function isInstalled(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Resolves once the proxy accepts connections; rejects if it exits first. */
export function startProxy({ command, readyLine, write }: Proxy, place: Place): Promise<ChildProcess> {
  const env = { PATH: process.env.PATH, HOME: place.folder, XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder }
  const child = spawn(command, write(place), { stdio: ['ignore', 'ignore', 'pipe'], env })
  let output = ''
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (text: Buffer) => {
      output += text
      if (output.includes(readyLine)) resolve(child)
    })
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`${command} exited: ${output}`)))
  })
}
