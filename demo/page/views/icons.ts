/** The page's icons. They are 24 px wide and have the colour of the surrounding text. Screen readers ignore them. */
import { html, svg, type TemplateResult } from 'lit'

const stroke = (path: TemplateResult) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${path}</svg>`

export const icons = {
  back: stroke(svg`<path d="m14.5 5-7 7 7 7" />`),
  chevron: stroke(svg`<path d="m9.5 6 6 6-6 6" />`),
  close: stroke(svg`<path d="m6 6 12 12M18 6 6 18" />`),
  scan: stroke(
    svg`<path d="M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M4 12h16" />`,
  ),
  check: stroke(svg`<path d="m5 12.5 4.5 4.5L19 7.5" />`),
  minus: stroke(svg`<path d="M6 12h12" />`),
  alert: stroke(svg`<circle cx="12" cy="12" r="9" /><path d="M12 7.5v5.5M12 16.4v.1" />`),
  clock: stroke(svg`<circle cx="12" cy="12" r="9" /><path d="M12 7v5.2l3.4 2" />`),
  mail: stroke(svg`<rect x="3.5" y="5.5" width="17" height="13" rx="2" /><path d="m4.5 7.5 7.5 5.5 7.5-5.5" />`),
  chat: stroke(
    svg`<path d="M12 4.5c-4.7 0-8.5 3-8.5 6.9 0 2.2 1.2 4.1 3.1 5.4l-.7 2.7 3.2-1.6c.9.2 1.9.4 2.9.4 4.7 0 8.5-3.1 8.5-6.9S16.7 4.5 12 4.5Z" />`,
  ),
  person: stroke(svg`<circle cx="12" cy="8.5" r="3.8" /><path d="M4.5 19.5c.9-3.4 3.9-5.2 7.5-5.2s6.6 1.8 7.5 5.2" />`),
  people: stroke(
    svg`<circle cx="9.5" cy="8.5" r="3.5" /><path d="M3 19c.7-3.1 3.3-4.8 6.5-4.8S15.3 15.9 16 19M16.5 6h4.5M17.5 10h3.5M18.5 14h2.5" />`,
  ),
  compass: stroke(svg`<circle cx="12" cy="12" r="8.5" /><path d="m15.5 8.5-2 5-5 2 2-5Z" />`),
  phone: stroke(svg`<rect x="7" y="2.5" width="10" height="19" rx="2.5" /><path d="M11 18.5h2" />`),
  link: stroke(
    svg`<path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1" />`,
  ),
  sliders: stroke(
    svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="17" r="2" />`,
  ),
  auto: stroke(svg`<circle cx="12" cy="12" r="8" /><path class="solid" d="M12 4a8 8 0 0 1 0 16Z" />`),
  light: stroke(
    svg`<circle cx="12" cy="12" r="4" /><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4" />`,
  ),
  dark: stroke(svg`<path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7Z" />`),
}
