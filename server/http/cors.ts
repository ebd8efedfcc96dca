/** Cross-origin access (CORS) for the pages of the allowed origins. There are no cookies, so credentials are never allowed. */
import type { Answer } from './answer.ts'

type Cors = {
  /** For every answer, refusals included: a page can read the status and code of a refusal only with these headers. */
  headersFor(origin: string | undefined): Record<string, string>
  preflight(origin: string | undefined): Answer
}

type CorsSettings = { origins: string[]; methods: string[]; requestHeaders: string[]; exposedHeaders: string[] }

// Chromium caches a preflight for two hours at most.
const MAX_AGE_SECONDS = '7200'

export function createCors({ origins, methods, requestHeaders, exposedHeaders }: CorsSettings): Cors {
  // `Vary` goes to other origins too: otherwise a cache could give an allowed page the answer without its header.
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
