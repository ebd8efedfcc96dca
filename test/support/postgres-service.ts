/** A global set-up of Vitest: starts one PostgreSQL server for all test files when the first of them requests a database. */
import { once } from 'node:events'
import { accessSync, constants, statfsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of a small HTTP service. Its answer is the URL of the database `postgres` on the PostgreSQL server. */
    postgresService: string
  }
}

// The databases of a whole test run need 1.5 GB. The rest is a reserve.
const NEEDED_BYTES = 4e9

const SETTINGS = [
  // Autovacuum would start a process for each of the many databases every minute.
  'autovacuum=off',
  'max_connections=300',
  // A test can set `synchronous_commit = on` for its database. Then its commits wait for a standby that does not exist.
  'synchronous_standby_names=missing',
  'synchronous_commit=local',
]

/**
 * Returns Linux's folder in memory if it is large enough. A slow disk needs a minute to delete the files of 150
 * databases.
 */
function memoryFolder(): string | undefined {
  const folder = '/dev/shm'
  try {
    accessSync(folder, constants.W_OK)
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > NEEDED_BYTES ? folder : undefined
  } catch {
    return undefined
  }
}

export default async function setup(project: TestProject) {
  let starting: ReturnType<typeof startPostgres> | undefined
  const service = createServer(async (_, response) => {
    starting ??= startPostgres({ settings: SETTINGS, parent: memoryFolder() })
    const [status, text] = await starting.then(
      ({ url }) => [200, url] as const,
      ({ message }: Error) => [500, message] as const,
    )
    response.writeHead(status).end(text)
  }).listen(0, '127.0.0.1')
  await once(service, 'listening')
  project.provide('postgresService', `http://127.0.0.1:${(service.address() as AddressInfo).port}`)

  return async () => {
    service.close()
    const postgres = await starting?.catch(() => undefined)
    await postgres?.remove()
  }
}
