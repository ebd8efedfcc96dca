/**
 * The card's style sheet. It uses an 8 px grid, one thin line and two themes. The page's custom properties override
 * both themes. The sheet uses `unsafeCSS`, because all its values are constants. Lit's `css` tag checks the values and
 * adds 160 bytes after gzip.
 */
import { unsafeCSS } from 'lit'

/** The dark theme's values. They are inserted twice: for `theme="dark"`, and for `theme="auto"` under the system's dark scheme. */
const dark = `
  --text: var(--wechat-bind-text, #f2f3f5);
  --muted: var(--wechat-bind-muted, #a0a4aa);
  --link: var(--wechat-bind-link, #4cd98a);
  --background: var(--wechat-bind-background, #1c1d1f);
  --surface: var(--wechat-bind-surface, #26282b);
  --border: var(--wechat-bind-border, #36383c);
  --danger: var(--wechat-bind-danger, #ff8f88);
  color-scheme: dark;
`

export const styles = unsafeCSS(`
:host {
  display: inline-block;
  /* Keeps a grid column from growing to the card's preferred width. */
  min-width: 0;
  max-width: 100%;
  vertical-align: top;
}
:host([hidden]) { display: none }
.card, .open {
  --text: var(--wechat-bind-text, #1f2329);
  --muted: var(--wechat-bind-muted, #5f6368);
  --link: var(--wechat-bind-link, #067a3e);
  --background: var(--wechat-bind-background, #fff);
  --surface: var(--wechat-bind-surface, #f5f6f7);
  --border: var(--wechat-bind-border, #e3e5e8);
  --danger: var(--wechat-bind-danger, #c5221f);
  --accent: var(--wechat-bind-accent, #07c160);
  --primary: var(--wechat-bind-primary, #067a3e);
  --qr: var(--wechat-bind-qr-size, 224px);
  color-scheme: light;
  /* 14px at the usual root size. The limits serve pages that set the root's size for other purposes, for example 62.5%. */
  font: var(--wechat-bind-font-size, clamp(14px, 0.875rem, 28px)) / calc(10 / 7) var(--wechat-bind-font, system-ui, 'PingFang SC', 'Noto Sans SC', 'Microsoft YaHei', sans-serif);
}
.card {
  position: relative;
  box-sizing: border-box;
  width: calc(var(--qr) + 64px);
  max-width: 100%;
  padding: 24px 16px 12px;
  border: 1px solid var(--border);
  border-radius: var(--wechat-bind-radius, 12px);
  background: var(--background);
  color: var(--text);
  font-variant-numeric: tabular-nums;
  text-align: center;
  overflow-wrap: anywhere;
  outline: 0;
}
dialog { padding: 0; border: 0; background: none; color: inherit }
::backdrop { background: rgb(0 0 0 / 0.5) }
/* WeChat's long press recognises no QR picture below 200 px. */
.small:not(.wechat) { --qr: var(--wechat-bind-qr-size, 184px) }
.large { --qr: var(--wechat-bind-qr-size, 264px) }
.dark { ${dark} }
@media (prefers-color-scheme: dark) {
  .card:not(.light), .open:not(.light) { ${dark} }
}
header, .tile, .actions, .open {
  display: flex;
  align-items: center;
  justify-content: center;
  gap: 8px;
}
/* Chinese breaks at punctuation and spaces where it can, for example not inside a date. */
p, h2 { margin: 0; text-wrap: balance; word-break: keep-all }
/* Text takes its direction from its own language, even on a right-to-left page. */
p, button, a, #title { unicode-bidi: plaintext }
#title, [part=status] { font-size: calc(8em / 7); line-height: 1.5; font-weight: 500 }
#title { min-width: 0; font-weight: 600 }
::slotted([slot=description]), .hint { color: var(--muted) }
.problem { color: var(--danger) }
.mark { flex: none; width: 20px }
.open .mark { fill: currentColor }
.tile {
  flex-direction: column;
  gap: 16px;
  width: var(--qr);
  max-width: 100%;
  aspect-ratio: 1;
  margin: 16px auto;
  border-radius: 8px;
  background: var(--surface);
  color: var(--muted);
}
.bare { background: none }
.paper { background: #fff; forced-color-adjust: none }
.qr { display: block; width: 100%; border-radius: 8px }
.icon { width: 48px; stroke-width: 1.25 }
.icon, .check path { fill: none; stroke: currentColor; stroke-linecap: round; stroke-linejoin: round }
.check { width: 72px }
.mark, .check { fill: var(--accent) }
.check path { stroke: #fff; stroke-width: 2; stroke-dasharray: 1 }
.spinner {
  width: 28px;
  height: 28px;
  border: 2px solid var(--border);
  border-top-color: var(--accent);
  forced-color-adjust: none;
  border-radius: 50%;
}
code { color: var(--text); font: 600 calc(10em / 7) / 1.2 ui-monospace, Consolas, monospace; user-select: all }
/* The URL of a page may be long. */
.link { max-height: 60px; padding-inline: 8px; overflow: hidden; font: inherit }
/* Room for three lines (status, hint, timer), so that a text that wraps does not change the height of the card. */
.words { min-height: calc(34em / 7) }
.actions { min-height: 44px }
button, a, input {
  box-sizing: border-box;
  padding: 7px 8px;
  border: 1px solid transparent;
  border-radius: 8px;
  background: none;
  color: var(--link);
  font: inherit;
  font-weight: 500;
  text-decoration: none;
  cursor: pointer;
}
button:hover, a:hover { background: var(--surface) }
.open { border-color: var(--border); background: var(--background) }
.primary, .danger, .open { padding-inline: 16px }
.primary, .primary:hover { border-color: transparent; background: var(--primary); color: #fff }
.danger { border-color: currentColor; color: var(--danger) }
[aria-disabled=true] { opacity: 0.6; cursor: default }
input {
  width: 7.2em;
  max-width: 100%;
  padding-right: 0;
  direction: ltr;
  border-color: var(--muted);
  background: var(--background);
  color: var(--text);
  font-size: calc(10em / 7);
  line-height: 1.4;
  letter-spacing: 0.8em;
  text-align: center;
  cursor: text;
}
::placeholder { color: var(--muted) }
:focus-visible:not(.card) { outline: 2px solid var(--link); outline-offset: 2px }
/* The ring of the focus would otherwise hide the colour of the border. */
[aria-invalid=true], [aria-invalid=true]:focus-visible { border-color: var(--danger); outline-color: var(--danger) }
.close { position: absolute; top: 4px; inset-inline-end: 4px; color: var(--muted) }
.close .icon { display: block; width: 20px; stroke-width: 2 }
@media (pointer: coarse) {
  button, a { padding-block: 11px }
}
@media (prefers-reduced-motion: no-preference) {
  button, a { transition: background-color 150ms }
  .spinner { animation: turn 1s linear infinite }
  .drawn path { animation: draw 300ms ease-out 100ms backwards }
}
@keyframes turn { to { rotate: 1turn } }
@keyframes draw { from { stroke-dashoffset: 1 } }
`)
