/** Starts one of the compared servers as a child process, and opens its pages. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createBindClient } from '../../../server/client.ts'
import { nodeFlags } from '../../support/instance.ts'
import { CORES, pinned } from '../support/pin.ts'
import { nextAnswer, openCrowd, type Page } from './crowd.ts'
import type { Figures, Order } from './server.ts'
import { KEY } from './setting.ts'

export type Name = 'raw' | 'ours' | 'naive' | 'sse' | 'polled'

const client = createBindClient({ server: 'http://localhost', keyId: KEY.kid, key: KEY.secret })

/** Node starts each server with the flags of `npm run serve`, so that all servers have the same heap settings. */
const withNodeFlags = ({ execArgv = [], ...rest }: ReturnType<typeof pinned>) => ({
  ...rest,
  execArgv: [...execArgv, ...nodeFlags],
})

export const mintTokens = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => client.mintToken({ account: 'acme', userId: `u${i}` })))

const WAIT = 'Prefer: wait=25\r\n'

/** All servers receive the same bytes except for the path, so that each of them keeps the same headers in memory. */
export const toRequest = (path: string, token: string, version = 0) =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nIf-None-Match: "${version}"\r\n${WAIT}Origin: https://www.example.com\r\nAccept: */*\r\nAccept-Language: zh-CN\r\n\r\n`

export const withoutWait = (request: string) => request.replace(WAIT, '')

export const withWait = (request: string, seconds: number) => request.replace('wait=25', `wait=${seconds}`)

export async function startContender(name: Name, tokens: string[]) {
  const child = fork(
    join(import.meta.dirname, 'server.ts'),
    [name, String(tokens.length)],
    withNodeFlags(pinned(CORES.server)),
  )
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const order = (what: Order) => void child.send(what)
  const requests = tokens.map((token, i) => toRequest(name === 'ours' ? '/widget/binding' : `/u${i}`, token))

  async function figures(): Promise<Figures> {
    order('figures')
    return ((await once(child, 'message')) as [Figures])[0]
  }

  const until = async (isDone: (held: number) => boolean) => {
    while (!isDone((await figures()).held)) await delay(2)
  }

  return {
    order,
    figures,
    requests,
    /**
     * Opens a page for each request. Resolves when each page waits. Without a `Prefer` header, resolves when each page
     * has its answer.
     */
    async crowd(asking = requests): Promise<Page[]> {
      const { held: before } = await figures()
      const isHeld = asking[0]?.includes(WAIT)
      return openCrowd(port, asking.length, async (pages, first) => {
        const answered = pages.map(nextAnswer)
        for (const [i, page] of pages.entries()) {
          const request = asking[first + i]!
          // Only the bind server ends a wait, after 25 s. On a slow machine the bench may still open other pages at
          // that time, so this page waits again.
          if (isHeld && name === 'ours') page.onAnswer = () => page.send(request)
          page.send(request)
        }
        if (isHeld) await until((held) => held >= before + first + pages.length)
        else await Promise.all(answered)
      })
    },
    end: () => void child.kill('SIGKILL'),
  }
}
