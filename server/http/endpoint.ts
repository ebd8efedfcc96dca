/** A POST that is a function of its body, whoever serves it: the app where it is mounted, Node's own server where `serve` runs. */
import { type Context, Hono } from 'hono'
import { type Answer, toResponse } from './answer.ts'
import { bodyLimit } from './body-limit.ts'

export type Posted = {
  path: string
  /** From the `?` on, or empty. */
  search: string
  body: Uint8Array<ArrayBuffer>
  contentType: string | undefined
}

export type Endpoint = {
  path: string
  /** Bytes. */
  maxBody: number
  /** Never throws. */
  answer(posted: Posted, requestId: string): Promise<Answer>
  /** The answer where the body could not be read. */
  refuse(thrown: unknown, requestId: string): Answer
}

/** Where the app is mounted; `serve` answers past Hono (`endpoint-listener.ts`). */
export function endpointRoutes({ path, maxBody, answer, refuse }: Endpoint): Hono {
  const requestIdOf = (c: Context): string => c.get('requestId')
  return new Hono()
    .post(path, bodyLimit(maxBody), async (c) => {
      const body = new Uint8Array(await c.req.arrayBuffer())
      const { search } = new URL(c.req.url)
      const contentType = c.req.header('Content-Type')
      return toResponse(c, await answer({ path: c.req.path, search, body, contentType }, requestIdOf(c)))
    })
    .onError((thrown, c) => toResponse(c, refuse(thrown, requestIdOf(c))))
}
