/** A global set-up of Vitest: starts one PostgreSQL server for all test files when the first of them requests a database. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers with the URL of the server's database `postgres`. */
    postgresService: string
  }
}

export default async function setup(project: TestProject) {
  let starting: ReturnType<typeof startPostgres> | undefined
  const service = createServer(async (_, response) => {
    // Without autovacuum, which would start a process for each of the many databases every minute.
    starting ??= startPostgres({ settings: ['autovacuum=off', 'max_connections=300'] })
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
