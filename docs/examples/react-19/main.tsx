/** React 19 sets properties (also functions) and event listeners on the element. */
import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import 'wechat-bind/define'
import type {} from 'wechat-bind/jsx'

async function getToken(): Promise<string> {
  const response = await fetch('/my/wechat-token')
  return (await response.json()).token
}

function App() {
  const [isShown, setShown] = useState(true)
  const [news, setNews] = useState('')
  return (
    <main>
      <button type="button" onClick={() => setShown(!isShown)}>
        WeChat
      </button>
      {isShown && (
        <wechat-bind
          getToken={getToken}
          theme="light"
          messages={{ title: 'Notifications in WeChat' }}
          onbound={({ detail }) => setNews(`bound ${detail.boundAt}`)}
          onunbound={({ detail }) => setNews(`unbound ${detail.reason}`)}
        />
      )}
      <output>{news}</output>
    </main>
  )
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<App />)
