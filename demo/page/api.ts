/** The API page: renders `/openapi.json`. It depends on the OpenAPI format, not on the API's operations. */
import { render } from 'lit'
import { parseSettings } from './settings.ts'
import { apiView, type OpenApi } from './views/api-reference.ts'

const { lang, theme } = parseSettings(location.search, navigator.languages)
document.documentElement.lang = lang
document.documentElement.dataset.theme = theme

const description = (await (await fetch('openapi.json')).json()) as OpenApi
render(apiView(description, lang), document.body)
