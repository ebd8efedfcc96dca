/**
 * A fake of WeChat's API for access tokens, QR codes and the data of followers. It answers with the delay of the real
 * API.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

// The time that api.weixin.qq.com needs for a fast answer within China.
const ANSWERS_AFTER_MS = 40

const follower = { subscribe: 1, unionid: 'oUnionidOfTheBench0000000000' }

const QR_URL = 'http://weixin.qq.com/q/'
const SCENE_PREFIX = 'wb1_'

/** As long as WeChat's URLs. The phone of a bench finds the scene in it. */
const toQrUrl = (scene: string) => QR_URL + scene.replace(SCENE_PREFIX, '').padEnd(22, 'y')

/** The scene of a QR code of this API. */
export const sceneOfUrl = (url: string) => SCENE_PREFIX + url.slice(QR_URL.length)

const bodyOf = <T>(request: IncomingMessage) => new Response(request as never).json() as Promise<T>

type WechatApiOptions = {
  /** Called with the scene of each QR code that is requested. */
  onScene?: (scene: string) => void
  answersAfterMs?: number
}

export async function startWechatApi({ onScene, answersAfterMs = ANSWERS_AFTER_MS }: WechatApiOptions = {}) {
  let isDown = false

  async function answer(request: IncomingMessage): Promise<object> {
    const path = request.url ?? ''
    if (path.startsWith('/cgi-bin/stable_token')) return { access_token: 'token-of-the-bench', expires_in: 7200 }
    if (path.startsWith('/cgi-bin/user/info/batchget')) {
      const { user_list } = await bodyOf<{ user_list: { openid: string }[] }>(request)
      return { user_info_list: user_list.map(({ openid }) => ({ ...follower, openid })) }
    }
    if (path.startsWith('/cgi-bin/user/info')) return follower
    const { action_info, expire_seconds } = await bodyOf<{
      action_info: { scene: { scene_str: string } }
      expire_seconds: number
    }>(request)
    const { scene_str } = action_info.scene
    onScene?.(scene_str)
    return { ticket: `gQH${'x'.repeat(90)}`, url: toQrUrl(scene_str), expire_seconds }
  }

  const server = createServer(async (request, response) => {
    if (isDown) return request.socket.destroy()
    const body = JSON.stringify(await answer(request))
    setTimeout(() => response.end(body), answersAfterMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** While the fake API is down, it closes each connection without an answer. */
    setDown(next: boolean): void {
      isDown = next
    },
    end(): void {
      server.close()
      server.closeAllConnections()
    },
  }
}
