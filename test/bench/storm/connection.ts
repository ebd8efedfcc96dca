/** A browser's connection to the server, with so little memory that 10,000 fit into one process. It is opened when it is needed. */
import { connect, type Socket } from 'node:net'

export type Connection = { send(request: string): Promise<Response>; destroy(): void }

export function createConnection(host: string, port: number): Connection {
  let socket: Socket | undefined
  let text = ''
  let settle: { resolve: (answer: Response) => void; reject: (error: Error) => void } | undefined

  function open(): Socket {
    text = ''
    const opened = connect({ host, port, noDelay: true }).setEncoding('latin1')
    opened
      .on('error', () => {})
      .on('data', (chunk: string) => {
        text += chunk
        const answer = parseAnswer(text)
        if (!answer) return
        text = ''
        settle?.resolve(answer)
      })
      .on('close', () => {
        if (socket === opened) close()
      })
    socket = opened
    return opened
  }

  function close(): void {
    socket = undefined
    settle?.reject(new Error('the connection is closed'))
  }

  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        ;(socket ?? open()).write(request)
      }),
    destroy() {
      socket?.destroy()
      close()
    },
  }
}

function parseAnswer(text: string): Response | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const headers = new Headers(lines.map((each) => each.split(/: (.*)/s).slice(0, 2) as [string, string]))
  const status = Number(line.split(' ')[1])
  const body = text.slice(headEnd + 4)
  if (body.length < Number(headers.get('Content-Length') ?? 0)) return undefined
  return new Response(status === 304 ? null : body, { status, headers })
}
