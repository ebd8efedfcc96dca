/** What the element has, as its manifest tells: the playground sets what is listed there, so it cannot fall behind. */

export type Listed = { name: string; default?: string; type?: { text: string } }

export type Listing = {
  attributes: Listed[]
  events: Listed[]
  slots: Listed[]
  cssParts: Listed[]
  cssProperties: Listed[]
}

type Manifest = { modules: { declarations: (Listing & { tagName?: string })[] }[] }

export async function fetchListing(): Promise<Listing> {
  const { modules } = (await (await fetch('custom-elements.json')).json()) as Manifest
  const found = modules.flatMap(({ declarations }) => declarations).find(({ tagName }) => tagName === 'wechat-bind')
  if (!found) throw new Error('The manifest holds no <wechat-bind>: run "npm run build" first.')
  return found
}

/** The values of `'a' | 'b'`; none of any other type. */
export const valuesOf = ({ type }: Listed): string[] =>
  [...(type?.text ?? '').matchAll(/'([^']+)'/g)].map(([, value = '']) => value)

/** A default as it is written in an attribute or a style sheet. */
export const defaultOf = ({ default: value = '' }: Listed): string => value.replace(/^'(.*)'$/, '$1')
