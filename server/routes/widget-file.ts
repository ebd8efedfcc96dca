/** The widget itself, self-contained: a page needs one origin for the tag's script and for the tag. */
import { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { toResponse } from '../http/answer.ts'

export function widgetFileRoutes({ widgetFile }: Deps) {
  return new Hono().get('/wechat-bind.js', (c) => {
    if (!widgetFile) throw new BindError('NOT_FOUND', 'The widget is not built here: run "npm run build" first.')
    const headers = {
      ETag: widgetFile.etag,
      // An hour: a new version reaches every page the same day, without a name that changes.
      'Cache-Control': 'public, max-age=3600',
      // A module script of another origin is fetched with CORS; there is nothing secret in it.
      'Access-Control-Allow-Origin': '*',
    }
    if (c.req.header('If-None-Match') === widgetFile.etag) return toResponse(c, { status: 304, headers, body: null })
    const type = { 'Content-Type': 'text/javascript; charset=utf-8' }
    return toResponse(c, { status: 200, headers: { ...headers, ...type }, body: widgetFile.text })
  })
}
