/** A row of buttons for a single choice. */
import { html, nothing, type TemplateResult } from 'lit'

type Choice = { value: string; content: unknown; label?: string | undefined; testId: string }

export function choiceView(
  name: string,
  choices: Choice[],
  selected: string,
  choose: (value: string) => void,
): TemplateResult {
  const button = ({ value, content, label, testId }: Choice) => html`
    <button
      type="button"
      aria-pressed=${value === selected}
      aria-label=${label ?? String(content)}
      title=${label ?? nothing}
      data-testid=${testId}
      @click=${() => choose(value)}
    >
      ${content}
    </button>
  `
  return html`<div class="choice" role="group" aria-label=${name}>${choices.map(button)}</div>`
}
