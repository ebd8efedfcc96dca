/**
 * Receives webhooks in a route of Next's app router: save it as `app/webhook/route.ts`, and export only `POST`:
 *
 *     export const POST = createPost(secret, storeChange)
 */
import { createReceive, type StoreChange } from './receive.ts'

export function createPost(secret: string, storeChange: StoreChange) {
  const receive = createReceive(secret, storeChange)
  return async function POST(request: Request): Promise<Response> {
    const status = await receive(await request.text(), Object.fromEntries(request.headers))
    return new Response(null, { status })
  }
}
