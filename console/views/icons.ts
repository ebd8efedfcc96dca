/** The console's icons. They are 24 px wide, have the colour of the surrounding text, and are hidden from screen readers. */
import { html, svg, type TemplateResult } from 'lit'

const stroke = (path: TemplateResult) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${path}</svg>`

export const icons = {
  overview: stroke(svg`<path d="M4 19.5h16M6.5 16v-4M12 16V5.5M17.5 16V9" />`),
  users: stroke(
    svg`<circle cx="9.5" cy="8.5" r="3.5" /><path d="M3 19c.7-3.1 3.3-4.8 6.5-4.8S15.3 15.9 16 19M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 14.8c1.6.8 2.7 2.2 3 4.2" />`,
  ),
  webhooks: stroke(svg`<path d="M20 5 4 11.5l6 2.5 2.5 6L20 5ZM10 14l4-4" />`),
  doctor: stroke(svg`<path d="M3 12.5h4l2.5-6 4.5 12 2.5-6H21" />`),
  live: stroke(
    svg`<circle class="solid" cx="12" cy="12" r="2" /><path d="M8 8a5.7 5.7 0 0 0 0 8M16 8a5.7 5.7 0 0 1 0 8M5.2 5.2a9.6 9.6 0 0 0 0 13.6M18.8 5.2a9.6 9.6 0 0 1 0 13.6" />`,
  ),
  settings: stroke(
    svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="17" r="2" />`,
  ),
  back: stroke(svg`<path d="m14.5 5-7 7 7 7" />`),
  close: stroke(svg`<path d="m6 6 12 12M18 6 6 18" />`),
  search: stroke(svg`<circle cx="11" cy="11" r="6.5" /><path d="m16 16 4.5 4.5" />`),
  clock: stroke(svg`<circle cx="12" cy="12" r="9" /><path d="M12 7v5.2l3.4 2" />`),
  eye: stroke(
    svg`<path d="M2.5 12C4.4 8.2 7.8 6 12 6s7.6 2.2 9.5 6c-1.9 3.8-5.3 6-9.5 6s-7.6-2.2-9.5-6Z" /><circle cx="12" cy="12" r="2.8" />`,
  ),
  file: stroke(svg`<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 19.5h14" />`),
  link: stroke(
    svg`<path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1" />`,
  ),
  pencil: stroke(svg`<path d="m5 19 1-4L16.5 4.5l3 3L9 18l-4 1ZM14.5 6.5l3 3" />`),
  // Each state of a light has its own shape, so that colour is not needed to tell them apart.
  ok: stroke(svg`<circle cx="12" cy="12" r="9" /><path d="m8 12.3 2.8 2.8L16 9.5" />`),
  warn: stroke(svg`<path d="M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.1" />`),
  wrong: stroke(svg`<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3L8.3 3ZM9 9l6 6M15 9l-6 6" />`),
  unknown: stroke(svg`<circle cx="12" cy="12" r="9" stroke-dasharray="3 3" /><path d="M9 12h6" />`),
  auto: stroke(svg`<circle cx="12" cy="12" r="8" /><path class="solid" d="M12 4a8 8 0 0 1 0 16Z" />`),
  light: stroke(
    svg`<circle cx="12" cy="12" r="4" /><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4" />`,
  ),
  dark: stroke(svg`<path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7Z" />`),
}
