/** Checks the rights of the containers in deploy/compose.yaml, and the base images. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readStages, restOf, root } from './dockerfile.ts'

const compose = readFileSync(join(root, 'deploy/compose.yaml'), 'utf8')

/** The text of each service by its name. */
const [, services = ''] = /^services:\n([\s\S]*?)^volumes:/m.exec(compose) ?? []
const parts = services.split(/^ {2}(\w+):\n/m).slice(1)
const serviceOf = new Map(parts.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, parts[i + 1]!]] : [])))

describe('deploy/compose.yaml', () => {
  test('has the server and its database', () => {
    expect([...serviceOf.keys()]).toEqual(['bind', 'postgres'])
  })

  test.each([...serviceOf])(
    'gives %s no capability, no new privileges, and limits of memory and processes',
    (_, text) => {
      expect(text).toMatch(/^ {4}cap_drop: \[ALL\]$/m)
      expect(text).not.toMatch(/cap_add|privileged/)
      expect(text).toMatch(/^ {4}security_opt: \['no-new-privileges:true'\]$/m)
      expect(text).toMatch(/^ {4}mem_limit: \d+[mg]$/m)
      expect(text).toMatch(/^ {4}pids_limit: \d+$/m)
    },
  )

  test('publishes the main port on the loopback address, and does not publish the port of metrics and probes', () => {
    expect([...compose.matchAll(/^ +ports: (.+)$/gm)].map(([, ports]) => ports)).toEqual([
      "['127.0.0.1:4000:4000', '127.0.0.1:4002:4002']",
    ])
    expect(serviceOf.get('bind')).toMatch(/^ {6}OPS_PORT: 4001$/m)
  })
})

describe('base images', () => {
  const PINNED = /^(?:node|postgres):(\d+)\.[\w.]+-(?:slim|alpine)@sha256:[0-9a-f]{64}$/

  test('are pinned by version and digest', () => {
    const ours = readStages('deploy/Dockerfile').map((stage) => restOf(stage, 'FROM').replace(/ AS .*/, ''))
    const theirs = [...compose.matchAll(/^ +image: (.+)$/gm)].map(([, image = '']) => image)
    const images = [...ours, ...theirs.filter((image) => image !== 'wechat-bind')]
    expect(images.map((image) => PINNED.exec(image)?.[1])).toEqual(['24', '24', '18'])
  })

  test('of Node have the version that the scripts use', () => {
    const versions = readStages('deploy/Dockerfile').map((stage) => /^node:(\d+)/.exec(restOf(stage, 'FROM'))?.[1])
    expect(new Set(versions)).toEqual(new Set([readFileSync(join(root, '.node-version'), 'utf8').trim()]))
  })

  test('are updated by Dependabot, except to a new major version', () => {
    const dependabot = readFileSync(join(root, '.github/dependabot.yml'), 'utf8')
    for (const name of ['docker', 'docker-compose']) {
      const [, entry = ''] = new RegExp(`package-ecosystem: ${name}\\n([\\s\\S]*?)(?:\\n\\n|$)`).exec(dependabot) ?? []
      expect(entry).toMatch(/^ {4}directory: \/deploy$/m)
      expect(entry).toMatch(/version-update:semver-major/)
    }
  })
})
