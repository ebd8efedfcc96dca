/** Serves the widget as one self-contained file, so that a page loads the script and calls the API at one origin. */
import { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { toResponse } from '../http/answer.ts'

export function widgetFileRoutes({ widgetFile }: Deps) {
  return new Hono().get('/wechat-bind.js', (c) => {
    if (!widgetFile) throw new BindError('NOT_FOUND', 'The widget is not built: run "npm run build" first.')
    const headers = {
      ETag: widgetFile.etag,
      // After an hour a browser fetches the file again, so a new version needs no new URL.
      'Cache-Control': 'public, max-age=3600',
      // Browsers fetch a module script of another origin with CORS. Every origin is allowed, because the file contains no secret.
      'Access-Control-Allow-Origin': '*',
    }
    if (c.req.header('If-None-Match') === widgetFile.etag) return toResponse(c, { status: 304, headers, body: null })
    const type = { 'Content-Type': 'text/javascript; charset=utf-8' }
    return toResponse(c, { status: 200, headers: { ...headers, ...type }, body: widgetFile.text })
  })
}
