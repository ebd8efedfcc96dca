/** A round-robin load balancer: consecutive requests go to different instances. */
import { Hono } from 'hono'

export function createLoadBalancer(instances: Hono[]): Hono {
  let turn = 0
  return new Hono().all('*', async (c) => {
    const index = turn++ % instances.length
    const response = await (instances[index] as Hono).fetch(c.req.raw, c.env)
    const headers = new Headers(response.headers)
    // Shows testers which instance answered.
    headers.set('X-Instance', String(index + 1))
    return new Response(response.body, { status: response.status, headers })
  })
}
