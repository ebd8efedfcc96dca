/** Loads the element's manifest: the playground lists its attributes, events, slots, parts and custom properties, so it is always complete. */

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

/** The values of a union type such as `'a' | 'b'`; empty for other types. */
export const valuesOf = ({ type }: Listed): string[] =>
  [...(type?.text ?? '').matchAll(/'([^']+)'/g)].map(([, value = '']) => value)

/** The default without quotes, as written in an attribute or a style sheet. */
export const defaultOf = ({ default: value = '' }: Listed): string => value.replace(/^'(.*)'$/, '$1')
