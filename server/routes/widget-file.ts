/** The widget as one self-contained file: a page loads the script and calls the API from one origin. */
import { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { toResponse } from '../http/answer.ts'

export function widgetFileRoutes({ widgetFile }: Deps) {
  return new Hono().get('/wechat-bind.js', (c) => {
    if (!widgetFile) throw new BindError('NOT_FOUND', 'The widget is not built here: run "npm run build" first.')
    const headers = {
      ETag: widgetFile.etag,
      // An hour: a new version reaches every page the same day, under the same URL.
      'Cache-Control': 'public, max-age=3600',
      // Browsers fetch a module script of another origin with CORS; the file contains no secret.
      'Access-Control-Allow-Origin': '*',
    }
    if (c.req.header('If-None-Match') === widgetFile.etag) return toResponse(c, { status: 304, headers, body: null })
    const type = { 'Content-Type': 'text/javascript; charset=utf-8' }
    return toResponse(c, { status: 200, headers: { ...headers, ...type }, body: widgetFile.text })
  })
}
