/** The smallest load balancer: each request goes to the next instance, so that no two in a row meet the same one. */
import { Hono } from 'hono'

export function createRoundRobin(instances: Hono[]): Hono {
  let turn = 0
  return new Hono().all('*', async (c) => {
    const index = turn++ % instances.length
    const response = await (instances[index] as Hono).fetch(c.req.raw, c.env)
    const headers = new Headers(response.headers)
    // For QA's eyes: which of them answered.
    headers.set('X-Instance', String(index + 1))
    return new Response(response.body, { status: response.status, headers })
  })
}
