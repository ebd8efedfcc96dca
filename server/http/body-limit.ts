/**
 * Reads the body of a request up to a limit. A budget also limits the bodies of all requests to one API together. The errors are:
 * the body is too large, the connection closes early, or the budget is used up.
 */
import type { HonoRequest } from 'hono'
import { BindError } from '../errors.ts'
import { joinChunks } from '../platform.ts'

export type Body = Uint8Array<ArrayBuffer>

export const NO_BODY: Body = new Uint8Array(0)

export const tooLarge = () => new BindError('TOO_LARGE', 'The body is larger than any valid request.')

/** The client closed the connection before its body was complete. This is not logged as a failure of the server. */
export const brokenOff = () =>
  new BindError('BAD_REQUEST', 'The connection was closed before the body was complete.', { cause: 'broken off' })

/** Throws `TOO_LARGE` if the declared length is over the limit, before a byte is read. */
export function expectLength(contentLength: string | undefined, maxBody: number): void {
  if (contentLength !== undefined && !(Number(contentLength) <= maxBody)) throw tooLarge()
}

export type BodyBudget = {
  /** Starts counting the bytes of one request against the budget. */
  open(): BodyShare
}

export type BodyShare = {
  /** Counts bytes that are kept in memory. Throws `OVERLOADED` when the budget is used up. */
  add(bytes: number): void
  /** Call once, when the request is answered. */
  release(): void
}

// A request may always keep this many bytes, even if the budget is used up. Otherwise large bodies that arrive slowly would block
// WeChat's events, which have about 1 KiB. MAX_CONNECTIONS limits the number of such requests.
const ALWAYS_GRANTED = 4 * 1024

/**
 * Limits the memory for bodies that arrive slowly or wait for an answer. Reserving `maxBody` for each connection would take too
 * much memory.
 */
export function createBodyBudget(maxBytes: number): BodyBudget {
  let held = 0
  return {
    open() {
      let own = 0
      return {
        add(bytes) {
          if (own + bytes > ALWAYS_GRANTED && held + bytes > maxBytes) throw overloaded()
          own += bytes
          held += bytes
        },
        release() {
          held -= own
          own = 0
        },
      }
    },
  }
}

const overloaded = () =>
  new BindError('OVERLOADED', 'This server is reading too many large bodies at once: try again.', {
    retryAfterSeconds: 5,
  })

/** Collects the chunks of a body. `add` throws `TOO_LARGE` and `OVERLOADED`. */
export function createCollector(maxBody: number, share: BodyShare | undefined) {
  const chunks: Body[] = []
  let length = 0
  return {
    add(chunk: Body): void {
      length += chunk.length
      if (length > maxBody) throw tooLarge()
      share?.add(chunk.length)
      chunks.push(chunk)
    },
    join: (): Body => (chunks.length === 1 ? chunks[0]! : joinChunks(chunks, length)),
  }
}

/** Throws `TOO_LARGE`, `OVERLOADED`, or `BAD_REQUEST` if the client disconnects. */
export async function readLimited(request: HonoRequest, maxBody: number, share?: BodyShare): Promise<Body> {
  const isChunked = request.header('Transfer-Encoding') !== undefined
  const length = isChunked ? undefined : request.header('Content-Length')
  expectLength(length, maxBody)
  try {
    if (length === undefined) return await readCounted(request.raw, maxBody, share)
    // node-server reads a body of known length without making a `Request`, which saves 35 us. Other bodies are counted in chunks.
    share?.add(Number(length))
    return new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    throw request.raw.signal.aborted && !(error instanceof BindError) ? brokenOff() : error
  }
}

async function readCounted({ body }: Request, maxBody: number, share: BodyShare | undefined): Promise<Body> {
  const collector = createCollector(maxBody, share)
  // The stream is not cancelled, because node-server would then close the connection before the refusal is sent.
  for await (const chunk of body?.values({ preventCancel: true }) ?? []) collector.add(chunk)
  return collector.join()
}
