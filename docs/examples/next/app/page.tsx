/** A server component. The component of `wechat-bind/react` is a client component, so only plain values can be passed from here. */
import { WechatBind } from 'wechat-bind/react'
import { WechatCard } from './wechat-card'

const server = process.env.NEXT_PUBLIC_BIND_SERVER

export default function Page() {
  return (
    <main>
      <WechatCard server={server} />
      <WechatBind className="plain" server={server} tokenUrl="/my/wechat-token" display="button" lang="en" />
    </main>
  )
}
