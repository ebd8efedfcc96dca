/** React 18 sets only attributes: properties and listeners are set through a ref. */
import { useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import type { BindEventMap, WechatBind } from 'wechat-bind'
import 'wechat-bind/define'
import type {} from 'wechat-bind/jsx'

async function getToken(): Promise<string> {
  const response = await fetch('/my/wechat-token')
  return (await response.json()).token
}

function WechatCard({ onNews }: { onNews: (news: string) => void }) {
  const card = useRef<WechatBind>(null)
  useEffect(() => {
    const element = card.current
    if (!element) return
    const onBound: EventListener = (event) => onNews(`bound ${(event as BindEventMap['bound']).detail.boundAt}`)
    const onUnbound: EventListener = (event) => onNews(`unbound ${(event as BindEventMap['unbound']).detail.reason}`)
    element.addEventListener('bound', onBound)
    element.addEventListener('unbound', onUnbound)
    element.messages = { title: 'Notifications in WeChat' }
    element.getToken = getToken
    return () => {
      element.removeEventListener('bound', onBound)
      element.removeEventListener('unbound', onUnbound)
    }
  }, [onNews])
  return <wechat-bind ref={card} theme="light" />
}

function App() {
  const [isShown, setShown] = useState(true)
  const [news, setNews] = useState('')
  return (
    <main>
      <button type="button" onClick={() => setShown(!isShown)}>
        WeChat
      </button>
      {isShown && <WechatCard onNews={setNews} />}
      <output>{news}</output>
    </main>
  )
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<App />)
