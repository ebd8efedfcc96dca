/**
 * `wechat-bind/react`: the element as a component for React 18 and 19. On a server, the component renders the tag with its
 * attributes. In the browser, it sets properties and listeners, even on a tag that a server has rendered.
 */
'use client'

import { createComponent, type EventName } from '@lit/react'
import * as React from 'react'
import { WechatBind as WechatBindElement } from './define.ts'
import type { BindEventMap } from './events.ts'
import type { WechatBindProps } from './frameworks/props.js'

type Named<Name extends keyof BindEventMap> = EventName<BindEventMap[Name]>

const events = {
  onBound: 'bound' as Named<'bound'>,
  onUnbound: 'unbound' as Named<'unbound'>,
  onScanned: 'scanned' as Named<'scanned'>,
  onRefused: 'refused' as Named<'refused'>,
  onExpired: 'expired' as Named<'expired'>,
  onStateChange: 'statechange' as Named<'statechange'>,
  onBindError: 'binderror' as Named<'binderror'>,
}

const InBrowser = createComponent({ react: React, tagName: 'wechat-bind', elementClass: WechatBindElement, events })

type Listeners = { [Name in keyof typeof events]?: (event: (typeof events)[Name]['__eventType']) => void }

export type WechatBindReactProps = Omit<React.HTMLAttributes<WechatBindElement>, keyof WechatBindProps> &
  WechatBindProps &
  Listeners

const attributeNames: Record<string, string> = { className: 'class', tokenUrl: 'token-url', refreshMode: 'refresh' }

/** Functions and objects cannot be attributes. React itself renders `style` and the children. */
function toAttributes(props: WechatBindReactProps): Record<string, unknown> {
  const attributes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(props)) {
    const isPlain = !['function', 'object'].includes(typeof value) || name === 'style' || name === 'children'
    // React 18 would render `watch="false"` for false, which HTML reads as true.
    if (isPlain)
      attributes[attributeNames[name] ?? name] = typeof value === 'boolean' ? (value ? '' : undefined) : value
  }
  return attributes
}

const isServer = typeof document === 'undefined'

/** The element. `ref` gives access to its methods. */
export const WechatBind = React.forwardRef<WechatBindElement, WechatBindReactProps>((props, ref) =>
  isServer
    ? React.createElement('wechat-bind', toAttributes(props))
    : React.createElement(InBrowser, { ...props, ref }),
)
WechatBind.displayName = 'WechatBind'
