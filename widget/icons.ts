/** Icons on a grid of 24 by 24. Each state has its own icon, so that states differ by shape and not only by colour. */
import { html, type TemplateResult } from 'lit'

const circle = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z'

const paths = {
  code: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h3v3M20 14v6h-6',
  phone: 'M9 3h6a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM11 18h2',
  clock: `${circle}M12 7.5V12l3 2`,
  alert: `${circle}M12 8v5M12 16h.01`,
  close: 'M6 6l12 12M18 6L6 18',
  offline: 'M4 4l16 16M9 16a4 4 0 0 1 6 0M5 12a10 10 0 0 1 4-2.5M19 12a10 10 0 0 0-5-3M12 19.5h.01',
}

export function icon(name: keyof typeof paths): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${paths[name]} /></svg>`
}

/** The check mark of a bound element. With `isAnimated` it is drawn once, over 300 ms. */
export function checkMark(isAnimated: boolean): TemplateResult {
  return html`<svg class=${isAnimated ? 'check drawn' : 'check'} viewBox="0 0 24 24" aria-hidden="true">
    <circle cx="12" cy="12" r="12" /><path d="M7 12.5l3.5 3.5L17 9" pathLength="1" />
  </svg>`
}

/** The logo before the title. It is a speech bubble, because WeChat's logo is a trademark. */
export const mark: TemplateResult = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
  <path d="M6 3h12a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4h-6l-5 4v-4H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4z" />
</svg>`
