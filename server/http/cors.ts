/** Cross-origin access (CORS) for the pages of the allowed origins. The server uses no cookies, so credentials are never allowed. */
import type { Answer } from './answer.ts'

type Cors = {
  /** Every answer needs these headers. Without them a page could not read the status and code of a refusal. */
  headersFor(origin: string | undefined): Record<string, string>
  preflight(origin: string | undefined): Answer
}

type CorsSettings = { origins: string[]; methods: string[]; requestHeaders: string[]; exposedHeaders: string[] }

// Chromium caches a preflight for at most two hours.
const MAX_AGE_SECONDS = '7200'

export function createCors({ origins, methods, requestHeaders, exposedHeaders }: CorsSettings): Cors {
  // Other origins get `Vary` too. Otherwise a cache could give an allowed page an answer without `Access-Control-Allow-Origin`.
  const forAny = { Vary: 'Origin', 'Access-Control-Expose-Headers': exposedHeaders.join(',') }
  const byOrigin = new Map(origins.map((origin) => [origin, { ...forAny, 'Access-Control-Allow-Origin': origin }]))
  const headersFor = (origin = ''): Record<string, string> => byOrigin.get(origin) ?? forAny
  return {
    headersFor,
    preflight: (origin) => ({
      status: 204,
      headers: {
        ...headersFor(origin),
        'Access-Control-Allow-Headers': requestHeaders.join(','),
        'Access-Control-Allow-Methods': methods.join(','),
        'Access-Control-Max-Age': MAX_AGE_SECONDS,
        Vary: 'Origin, Access-Control-Request-Headers',
      },
      body: null,
    }),
  }
}
