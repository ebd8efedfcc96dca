/** One control for one thing that can be set, after its type. `undefined` is the element's own. */
import { html, type TemplateResult } from 'lit'
import { defaultOf, type Listed, valuesOf } from '../manifest.ts'
import { choiceView } from './choice-buttons.ts'

type Enter = (value: string | undefined) => void

export function controlView(listed: Listed, value: string | undefined, enter: Enter): TemplateResult {
  const { name, type } = listed
  const values = valuesOf(listed)
  if (values.length > 0) {
    const own = defaultOf(listed)
    const choices = values.map((each) => ({ value: each, content: each, testId: `${name}-${each}` }))
    const choose = (chosen: string) => enter(chosen === own ? undefined : chosen)
    return html`<div class="row"><code>${name}</code>${choiceView(name, choices, value ?? own, choose)}</div>`
  }
  if (type?.text !== 'boolean') return textView(name, value, defaultOf(listed), (text) => enter(text || undefined))
  return html`
    <label class="row">
      <code>${name}</code>
      <input
        type="checkbox"
        role="switch"
        class="switch"
        data-testid=${name}
        .checked=${value !== undefined}
        @change=${({ target }: Event) => enter((target as HTMLInputElement).checked ? '' : undefined)}
      />
    </label>
  `
}

export function textView(
  name: string,
  value: string | undefined,
  placeholder: string,
  enter: Enter,
  id = name,
): TemplateResult {
  return html`
    <label class="row">
      <code>${name}</code>
      <input
        type="text"
        spellcheck="false"
        data-testid=${id}
        placeholder=${placeholder}
        .value=${value ?? ''}
        @input=${({ target }: Event) => enter((target as HTMLInputElement).value)}
      />
    </label>
  `
}

const COLOUR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/** A colour well beside the text where the default is a colour. */
export function styleView(listed: Listed, value: string | undefined, enter: Enter): TemplateResult {
  const own = defaultOf(listed)
  const name = listed.name.replace('--wechat-bind-', '')
  if (!COLOUR.test(own)) return textView(name, value, own, enter)
  return html`
    <div class="row">
      <code>${name}</code>
      <input
        type="color"
        aria-label=${name}
        data-testid=${name}
        .value=${toSixDigits(value && COLOUR.test(value) ? value : own)}
        @input=${({ target }: Event) => enter((target as HTMLInputElement).value)}
      />
      <input
        type="text"
        spellcheck="false"
        aria-label=${name}
        placeholder=${own}
        .value=${value ?? ''}
        @input=${({ target }: Event) => enter((target as HTMLInputElement).value)}
      />
    </div>
  `
}

/** The only form that a colour well takes. */
const toSixDigits = (colour: string) => (colour.length === 4 ? colour.replace(/[0-9a-f]/gi, '$&$&') : colour)
