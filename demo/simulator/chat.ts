/** The messages of one person's chat with the account, and the links in them. */
import type { ChatMessageView, ChatPart } from './views.ts'

export type ChatMessage = Omit<ChatMessageView, 'parts'> & { content: string }

/** WeChat's notice in the chat after any failure of the callback. */
export const FAULT_NOTICE = '该公众号提供的服务出现故障，请稍后再试'

const LINK = /<a\s+href="([^"]*)"\s*>([^<]*)<\/a>/g

/** WeChat renders `<a href>` as a link. It displays all other markup as text. */
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

/** Parses `weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=…`, a link that sends `msgmenucontent` when tapped. Returns undefined for other links. */
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
    /** The list is immutable, because `add` creates a new list. */
    all: (): readonly ChatMessage[] => messages,
  }
}
