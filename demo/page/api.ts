/**
 * The API page: renders `/openapi.json`. This code depends only on the OpenAPI format, so a new operation needs no
 * change here.
 */
import { render } from 'lit'
import type { OpenApi } from './openapi.ts'
import { parseSettings, type Settings, toSearch } from './settings.ts'
import { apiView } from './views/api-reference.ts'

const description = (await (await fetch('openapi.json')).json()) as OpenApi
let settings = parseSettings(location.search, navigator.languages)

function draw(): void {
  document.documentElement.lang = settings.lang
  document.documentElement.dataset.theme = settings.theme
  render(apiView(description, settings, set), document.body)
}

function set(change: Partial<Settings>): void {
  settings = { ...settings, ...change }
  history.replaceState(null, '', toSearch(settings, location.search) + location.hash)
  draw()
}

draw()
// Scrolls to the anchor of the URL. The browser has looked for it before the page was rendered.
document.getElementById(location.hash.slice(1))?.scrollIntoView()
