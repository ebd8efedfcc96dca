/** A port that is free now, for programs that cannot report the port that they chose. */
import { once } from 'node:events'
import { createServer } from 'node:net'

export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return String(port)
}
