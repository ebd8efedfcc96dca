/**
 * Adapter 1 adds endpoints to the Hono app as routes, for teams that mount the app in their own server.
 *
 * Steps: The adapter takes the plain values from Hono's context, calls the endpoint, and makes a `Response`. A deferred answer
 * becomes a promise of a `Response`, so that middleware such as a request log sees the end of every request.
 *
 * What could go wrong: A promise that never settles would keep the request and all middleware frames in memory. So the promise
 * also settles if the client disconnects, which the request's `signal` reports. Nobody receives that response.
 */
import { type Context, Hono } from 'hono'
import { routePath } from 'hono/route'
import { toResponse } from './answer.ts'
import { readLimited } from './body-limit.ts'
import { type DeferredAnswer, isDeferred, withHeaders } from './deferred-response.ts'
import { callEndpoint, type Endpoint } from './endpoint.ts'
import { CLIENT_GONE } from './request-log.ts'

export function endpointRoutes(endpoints: Endpoint[]): Hono {
  const routes = new Hono()
  for (const endpoint of endpoints) {
    const { method, path, headers, maxBody } = endpoint
    routes.on(method, path, async (c) => {
      // The log needs the route that answered. This may not be the last route in Hono's list of matched routes.
      c.set('route', routePath(c))
      const request = {
        method: c.req.method,
        path: c.req.path,
        search: new URL(c.req.url).search,
        headers: Object.fromEntries(headers.map((name) => [name, c.req.header(name)])),
        requestId: c.get('requestId'),
      }
      const result = await callEndpoint(endpoint, request, (share) => readLimited(c.req, maxBody, share))
      return isDeferred(result) ? respondLater(c, result) : toResponse(c, result)
    })
  }
  return routes
}

function respondLater(c: Context, { headers, start }: DeferredAnswer): Promise<Response> {
  const { promise, resolve } = Promise.withResolvers<Response>()
  const { signal } = c.req.raw
  start({
    send: (answer) => resolve(toResponse(c, withHeaders(answer, headers))),
    onHangUp(listener) {
      const hangUp = () => {
        listener()
        // Nobody receives this response. The request's log line takes the user's name from its headers.
        resolve(new Response(null, { status: CLIENT_GONE, headers }))
      }
      if (signal.aborted) hangUp()
      else signal.addEventListener('abort', hangUp, { once: true })
    },
  })
  return promise
}
