/**
 * The playground's form controls. The type of a setting determines its control. The value `undefined` stands for the
 * element's default.
 */
import { html, type TemplateResult } from 'lit'
import { defaultOf, type Listed, valuesOf } from '../manifest.ts'
import { choiceView } from './choice-buttons.ts'

type SetEntry = (value: string | undefined) => void

export function controlView(listed: Listed, value: string | undefined, setEntry: SetEntry): TemplateResult {
  const { name, type } = listed
  const values = valuesOf(listed)
  if (values.length > 0) {
    const own = defaultOf(listed)
    const choices = values.map((each) => ({ value: each, content: each, testId: `${name}-${each}` }))
    const choose = (chosen: string) => setEntry(chosen === own ? undefined : chosen)
    return html`<div class="row"><code>${name}</code>${choiceView(name, choices, value ?? own, choose)}</div>`
  }
  if (type?.text !== 'boolean') return textView(name, value, defaultOf(listed), (text) => setEntry(text || undefined))
  return html`
    <label class="row">
      <code>${name}</code>
      <input
        type="checkbox"
        role="switch"
        class="switch"
        data-testid=${name}
        .checked=${value !== undefined}
        @change=${({ target }: Event) => setEntry((target as HTMLInputElement).checked ? '' : undefined)}
      />
    </label>
  `
}

export function textView(
  name: string,
  value: string | undefined,
  placeholder: string,
  setEntry: SetEntry,
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
        @input=${({ target }: Event) => setEntry((target as HTMLInputElement).value)}
      />
    </label>
  `
}

const COLOUR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/** Adds a colour input when the default is a colour. */
export function styleView(listed: Listed, value: string | undefined, setEntry: SetEntry): TemplateResult {
  const own = defaultOf(listed)
  const name = listed.name.replace('--wechat-bind-', '')
  if (!COLOUR.test(own)) return textView(name, value, own, setEntry)
  return html`
    <div class="row">
      <code>${name}</code>
      <input
        type="color"
        aria-label=${name}
        data-testid=${name}
        .value=${toSixDigits(value && COLOUR.test(value) ? value : own)}
        @input=${({ target }: Event) => setEntry((target as HTMLInputElement).value)}
      />
      <input
        type="text"
        spellcheck="false"
        aria-label=${name}
        placeholder=${own}
        .value=${value ?? ''}
        @input=${({ target }: Event) => setEntry((target as HTMLInputElement).value)}
      />
    </div>
  `
}

/** A colour input accepts only the form with six hex digits. */
const toSixDigits = (colour: string) => (colour.length === 4 ? colour.replace(/[0-9a-f]/gi, '$&$&') : colour)
