/** One person's chat with the account, and the links that a text may hold. */

export type ChatMessage = {
  id: number
  /** `wechat`: WeChat's own grey line. */
  from: 'account' | 'person' | 'wechat'
  content: string
  /** Epoch ms. */
  at: number
}

/** A piece of a message: text, or text that can be tapped. */
export type ChatPart = { text: string; href?: string }

/** What the follower reads when the callback failed, whatever the cause. */
export const FAULT_NOTICE = '该公众号提供的服务出现故障，请稍后再试'

const LINK = /<a\s+href="([^"]*)"\s*>([^<]*)<\/a>/g

/** WeChat shows `<a href>` in a text as a link and everything else as it stands. */
export function toChatParts(content: string): ChatPart[] {
  const parts: ChatPart[] = []
  let end = 0
  for (const { 0: whole, 1: href = '', 2: text = '', index } of content.matchAll(LINK)) {
    if (index > end) parts.push({ text: content.slice(end, index) })
    parts.push({ text, href })
    end = index + whole.length
  }
  if (end < content.length) parts.push({ text: content.slice(end) })
  return parts
}

/** `weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=…`: what a tap sends, or undefined for any other link. */
export function parseMenuLink(href: string): { content: string; menuId: string } | undefined {
  if (!href.startsWith('weixin://bizmsgmenu?')) return undefined
  const query = new URLSearchParams(href.slice('weixin://bizmsgmenu?'.length))
  const content = query.get('msgmenucontent')
  return content ? { content, menuId: query.get('msgmenuid') ?? '' } : undefined
}

export function createChat({ clock, remembered = [] }: { clock: () => number; remembered?: ChatMessage[] }) {
  let messages = remembered
  return {
    add(from: ChatMessage['from'], content: string): void {
      messages = [...messages, { id: (messages.at(-1)?.id ?? 0) + 1, from, content, at: clock() }]
    },
    clear(): void {
      messages = []
    },
    /** A list that stays as it is: a later message makes a new one. */
    all: (): readonly ChatMessage[] => messages,
  }
}
