/** A client component, which can pass functions and objects: `getToken`, `messages` and listeners. */
'use client'

import { useRef, useState } from 'react'
import type { WechatBind as WechatBindElement } from 'wechat-bind'
import { WechatBind } from 'wechat-bind/react'

async function getToken(): Promise<string> {
  const response = await fetch('/my/wechat-token')
  return (await response.json()).token
}

const messages = { title: 'Notifications in WeChat' }

export function WechatCard({ server }: { server?: string | undefined }) {
  const card = useRef<WechatBindElement>(null)
  const [news, setNews] = useState('')
  return (
    <>
      <WechatBind
        ref={card}
        id="card"
        server={server}
        theme="light"
        watch
        getToken={getToken}
        messages={messages}
        onBound={({ detail }) => setNews(`bound ${detail.boundAt}`)}
        onUnbound={({ detail }) => setNews(`unbound ${detail.reason}`)}
      >
        <span slot="footer">You can unbind at any time.</span>
      </WechatBind>
      <button type="button" onClick={() => card.current?.refresh()}>
        New QR code
      </button>
      <output>{news}</output>
    </>
  )
}
