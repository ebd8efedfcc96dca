/** Templates as lit has them, as far as they are used here: a hole is a child, or the whole value of an attribute. */

/** One drawing: what it is made of and what goes into its holes. */
export type TemplateResult = { strings: TemplateStringsArray; values: unknown[]; key?: unknown }

/** Puts a value into its hole. */
type Put = (value: unknown) => void

export const nothing = undefined

export function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult {
  return { strings, values }
}

/** Drawn anew, not changed in place, when the key is another. */
export function keyed(key: unknown, template: TemplateResult): TemplateResult {
  return { ...template, key }
}

/** No text of ours holds it, and no markup means anything by it. */
const HOLE = '\uFFFC'
type Policies = { createPolicy(name: string, rules: { createHTML(markup: string): string }): typeof rules }
/** Text comes from values only as text, never as markup: the policy passes on what stood in the source. */
const policy = (globalThis as { trustedTypes?: Policies }).trustedTypes?.createPolicy('wechat-bind', {
  createHTML: (markup) => markup,
})
const templates = new WeakMap<TemplateStringsArray, HTMLTemplateElement>()

/** Draws into `root`; what was drawn there before from the same template is changed in place. */
export function createRender(root: ParentNode, host: object): Put {
  const end = new Comment()
  root.append(new Comment(), end)
  return putChild(end, host)
}

function templateOf(strings: TemplateStringsArray): HTMLTemplateElement {
  let template = templates.get(strings)
  if (!template) {
    template = document.createElement('template')
    let count = 0
    const markup = strings
      .join(HOLE)
      // Under another name, so that nothing takes the mark for a value: an image without one would be asked for.
      .replace(/([^\s=]+)=\uFFFC/g, (_, name) => `:${count++}="${name}"`)
      .replaceAll(HOLE, '<!----><!--:-->')
    template.innerHTML = (policy?.createHTML(markup) ?? markup) as string
    templates.set(strings, template)
  }
  return template
}

/** The template's nodes, and one `Put` for each hole in the order of the source. */
function instantiate(strings: TemplateStringsArray, host: object): [Node, Put[]] {
  const content = document.importNode(templateOf(strings).content, true)
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT)
  const puts: Put[] = []
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Comment) {
      if (node.data) puts.push(putChild(node, host))
      continue
    }
    for (const { name, value } of [...(node as Element).attributes]) {
      if (name[0] !== ':') continue
      ;(node as Element).removeAttribute(name)
      puts.push(putAttribute(node as Element, value, host))
    }
  }
  return [content, puts]
}

function putAttribute(element: Element, name: string, host: object): Put {
  let held: unknown
  const kind = name[0]
  const rest = name.slice(1)
  if (kind === '@') element.addEventListener(rest, (event) => (held as (event: Event) => void).call(host, event))
  return (value) => {
    if (value === held) return
    held = value
    if (kind === '.') Object.assign(element, { [rest]: value })
    else if (kind === '?') element.toggleAttribute(rest, !!value)
    else if (kind !== '@') element.setAttribute(name, String(value))
  }
}

/** Keeps what stands between the comment before `end` and `end` itself. */
function putChild(end: Comment, host: object): Put {
  const start = end.previousSibling
  let held: unknown
  let puts: Put[] = []

  /** Leaves what is drawn alone when it is of the same kind as before. */
  function replace(kind: unknown, draw: () => Node | string): void {
    if (kind === held) return
    held = kind
    while (start?.nextSibling !== end) start?.nextSibling?.remove()
    end.before(draw())
  }

  return (value) => {
    if (Array.isArray(value)) {
      replace(value.length, () => {
        const list = document.createDocumentFragment()
        puts = value.map(() => createRender(list as ParentNode, host))
        return list
      })
      for (const [index, item] of value.entries()) puts[index]?.(item)
    } else if (value && typeof value === 'object') {
      const { strings, values, key = strings } = value as TemplateResult
      replace(key, () => {
        const [content, fresh] = instantiate(strings, host)
        puts = fresh
        return content
      })
      for (const [index, item] of values.entries()) puts[index]?.(item)
    } else replace(`${value ?? ''}`, () => `${value ?? ''}`)
  }
}
