/** WeChat's API as far as a binding asks it, as slow as the real one: an access token, and who a follower is. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// The usual time of an answer from api.weixin.qq.com within China.
const ANSWERS_AFTER_MS = 40

export async function startWechatApi(): Promise<{ url: string; end(): void }> {
  const server = createServer((request, response) => {
    const answer = request.url?.startsWith('/cgi-bin/stable_token')
      ? { access_token: 'token-of-the-bench', expires_in: 7200 }
      : { subscribe: 1, unionid: 'oUnionidOfTheBench0000000000' }
    setTimeout(() => response.end(JSON.stringify(answer)), ANSWERS_AFTER_MS)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    end() {
      server.close()
      server.closeAllConnections()
    },
  }
}
