/** The client of the console's API. The paths are relative to the page, because the console can be mounted anywhere. */
import type {
  DoctorReport,
  LivePage,
  Meta,
  NoticeChoice,
  Overview,
  Range,
  Replayed,
  Revealed,
  SessionState,
  SessionView,
  TestOutcome,
  UserList,
  UserName,
  UserSearch,
  UserView,
  Webhooks,
} from '../server/console/wire.ts'

/** `UNREACHABLE`: no answer. `INVALID_ANSWER`: an answer that is not the console's, for example a proxy's page. */
export type Failure = { code: string; detail: string; retryAfter: number | undefined }

export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure }

type Call = { method?: string; body?: unknown; signal?: AbortSignal }

export type ConsoleClient = ReturnType<typeof createConsoleClient>

/** `csrf` returns the token of the current session. */
export function createConsoleClient(fetch: typeof globalThis.fetch, csrf: () => string | undefined) {
  async function send(path: string, { method = 'GET', body, signal }: Call): Promise<Response> {
    const token = method === 'GET' ? undefined : csrf()
    return fetch(`api/${path}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        ...(token === undefined ? {} : { 'X-Console-CSRF': token }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  }

  async function call<T>(path: string, options: Call, read: (response: Response) => Promise<T>): Promise<Answer<T>> {
    let response: Response
    try {
      response = await send(path, options)
    } catch (error) {
      return { ok: false, failure: toFailure('UNREACHABLE', String(error)) }
    }
    if (!response.ok) return { ok: false, failure: await readProblem(response) }
    try {
      return { ok: true, value: await read(response) }
    } catch (error) {
      return { ok: false, failure: toFailure('INVALID_ANSWER', String(error)) }
    }
  }

  const ask = <T>(path: string, options: Call = {}) => call(path, options, (response) => response.json() as Promise<T>)
  const post = <T>(path: string, body: unknown, signal?: AbortSignal) =>
    ask<T>(path, { method: 'POST', body, ...(signal ? { signal } : {}) })

  return {
    session: () => ask<SessionState>('session'),
    signIn: (token: string) => post<SessionView>('session', { token }),
    signOut: () => call('session', { method: 'DELETE' }, async () => undefined),
    meta: () => ask<Meta>('meta'),
    overview(range: Range, tenant: string | undefined, signal: AbortSignal) {
      const query = new URLSearchParams({ range, ...(tenant === undefined ? {} : { tenant }) })
      return ask<Overview>(`overview?${query}`, { signal })
    },
    searchUsers: (search: UserSearch, signal: AbortSignal) => post<UserList>('users/search', search, signal),
    user: (user: UserName, signal: AbortSignal) => post<UserView>('users/show', user, signal),
    unbind: (user: UserName) => post<UserView>('users/unbind', user),
    erase: (user: UserName) => post<unknown>('users/erase', user),
    exportUser: (user: UserName) => call('users/export', { method: 'POST', body: user }, (response) => response.blob()),
    reveal: (user: UserName) => post<Revealed>('users/reveal', user),
    webhooks: (signal: AbortSignal) => ask<Webhooks>('webhooks', { signal }),
    replay: (choice: NoticeChoice) => post<Replayed>('webhooks/replay', choice),
    retry: (choice: NoticeChoice) => post<Replayed>('webhooks/retry', choice),
    enable: (receiver: string) => post<Webhooks>('webhooks/enable', { receiver }),
    test: (receiver: string) => post<TestOutcome>('webhooks/test', { receiver }),
    doctor: (signal: AbortSignal) => ask<DoctorReport>('doctor', { signal }),
    runDoctor: () => post<DoctorReport>('doctor', {}),
    live(after: string | undefined, wait: number, signal: AbortSignal) {
      const query = new URLSearchParams({ wait: String(wait), ...(after === undefined ? {} : { after }) })
      return ask<LivePage>(`live?${query}`, { signal })
    },
  }
}

const toFailure = (code: string, detail: string, retryAfter?: number): Failure => ({ code, detail, retryAfter })

async function readProblem(response: Response): Promise<Failure> {
  const seconds = Number(response.headers.get('Retry-After'))
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : undefined
  const problem: { code?: unknown; detail?: unknown } = await response.json().catch(() => ({}))
  if (typeof problem.code !== 'string') return toFailure('INVALID_ANSWER', `HTTP ${response.status}`, retryAfter)
  return toFailure(problem.code, String(problem.detail ?? ''), retryAfter)
}
