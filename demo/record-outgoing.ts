/** Records the requests that the bind server sends: webhooks, and calls of a real WeChat API. Secrets are removed from the calls. */
import type { Fetch } from '../server/platform.ts'
import type { TrafficLog, WireKind } from './simulator/traffic-log.ts'

type RecordingFetchDeps = {
  wire: TrafficLog
  clock: () => number
  kindOf: (url: string) => WireKind | undefined
}

export function createRecordingFetch({ wire, clock, kindOf }: RecordingFetchDeps): Fetch {
  return async (url, init = {}) => {
    const kind = kindOf(url)
    if (!kind) return fetch(url, init)
    const hide = kind === 'wechat' ? hideSecrets : (text: string) => text
    const at = clock()
    const raw = typeof init.body === 'string' ? init.body : ''
    const headers = Object.fromEntries(new Headers(init.headers))
    const { type = new URL(url).pathname } = tryJson(kind === 'webhook' ? raw : '')
    const method = init.method ?? 'GET'
    const opened = kind === 'webhook' ? JSON.stringify(tryJson(raw), null, 2) : ''
    const end = wire.begin({ kind, at, title: type, method, url: hide(url), headers, raw: hide(raw), opened })
    const finish = (status: number, reply: string, fault: string) =>
      end({ tookMs: clock() - at, status, reply: hide(reply), replyOpened: '', fault })
    try {
      const response = await fetch(url, init)
      finish(response.status, await response.clone().text(), response.ok ? '' : `HTTP status ${response.status}`)
      return response
    } catch (error) {
      finish(0, '', 'no answer')
      throw error
    }
  }
}

function tryJson(text: string): { type?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Removes secrets, because everyone on the network may see the demo's page. */
const hideSecrets = (text: string) =>
  text
    .replace(/("(?:secret|access_token|refresh_token)":")[^"]*/g, '$1…')
    .replace(/([?&](?:secret|access_token|code)=)[^&]*/g, '$1…')
