/** Loads the element's manifest. The playground lists every attribute, event, slot, part and custom property of the manifest. */

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
  if (!found) throw new Error('The manifest does not contain <wechat-bind>: run "npm run build" first.')
  return found
}

/** Returns the values of a union type such as `'a' | 'b'`. The list is empty for other types. */
export const valuesOf = ({ type }: Listed): string[] =>
  [...(type?.text ?? '').matchAll(/'([^']+)'/g)].map(([, value = '']) => value)

/** Returns the default value without quotes, as in an attribute or a style sheet. */
export const defaultOf = ({ default: value = '' }: Listed): string => value.replace(/^'(.*)'$/, '$1')
