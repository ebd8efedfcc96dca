/** A TCP proxy that can stop forwarding without closing its connections, like a network that drops every packet. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export async function openTcpProxy(targetPort: number) {
  let port: number | undefined = targetPort
  const sockets = new Set<Socket>()
  const stalled = new WeakSet<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    if (port === undefined) {
      keep(client)
      return
    }
    const target = connect({ port, host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      keep(from).on('close', () => stalled.has(from) || to.destroy())
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  function keep(socket: Socket): Socket {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }

  return {
    port: (server.address() as AddressInfo).port,
    /** Stops forwarding on the present connections. New connections still work. The peer of a closed connection is not told. */
    stall(): void {
      for (const socket of sockets) {
        stalled.add(socket)
        socket.unpipe().pause()
      }
    },
    /** Forwards new connections to another port. With undefined they are accepted, and nothing is forwarded. */
    redirect(next: number | undefined): void {
      port = next
    },
    close(): void {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
