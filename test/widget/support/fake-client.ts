/** A fake API client. The test sets each response. The client records the requests and the aborts. */
import type { BindingView, QrcodeView } from '../../../server/wire.ts'
import type { Client } from '../../../widget/api-client.ts'
import { changed } from './changes.ts'

type Call = {
  name: string
  signal: AbortSignal
  resolve: (view: BindingView | QrcodeView | string | null) => void
  reject: (error: unknown) => void
}

export function createFakeClient() {
  const calls: Call[] = []

  function ask<View>(name: string, signal: AbortSignal): Promise<View> {
    return new Promise((resolve, reject) => {
      calls.push({ name, signal, resolve: resolve as Call['resolve'], reject })
      changed()
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  }

  const client: Client = {
    createQrcode: (replace, signal) => ask(replace ? 'replace' : 'create', signal),
    look: (signal) => ask('look', signal),
    waitPast: (version, signal) => ask(`wait ${version}`, signal),
    confirm: (code, signal) => ask(`confirm ${code}`, signal),
    unbind: (signal) => ask('unbind', signal),
    authorize: (page, signal) => ask(`authorize ${page}`, signal),
    prove: (proof, signal) => ask(`prove ${proof}`, signal),
  }

  return {
    ...client,
    /** The names of all requests, in order. */
    get asked() {
      return calls.map(({ name }) => name)
    },
    /** The last request. */
    get last() {
      const call = calls.at(-1)
      if (!call) throw new Error('The client has received no request')
      return call
    },
    /** The number of requests that were not aborted. */
    get open() {
      return calls.filter(({ signal }) => !signal.aborted).length
    },
  }
}
