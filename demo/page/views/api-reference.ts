/**
 * Renders an OpenAPI description: a table of contents, then each operation with its parameters, an example, the request
 * and the responses.
 */
import { html, nothing, type TemplateResult } from 'lit'
import { translateDescription } from '../api-translations.ts'
import type { Content, OpenApi, Operation, Schema } from '../openapi.ts'
import { type Language, languages, type Settings, settingValues, type Theme } from '../settings.ts'
import { commonWords, languageNames } from '../words/common.ts'
import { exampleText, exampleView } from './api-example.ts'
import { choiceView } from './choice-buttons.ts'
import { icons } from './icons.ts'

const words = {
  en: {
    request: 'Request',
    headers: 'Headers',
    answers: 'Responses',
    optional: 'optional',
    back: 'Back to the demo',
    sealed: 'JWE payload',
    contents: 'Contents',
    example: 'Example',
    'Encrypted API': 'Encrypted API',
    'Browser API': 'Browser API',
  },
  'zh-CN': {
    request: '请求',
    headers: '请求头',
    answers: '响应',
    optional: '可选',
    back: '返回演示',
    sealed: 'JWE 内容',
    contents: '目录',
    example: '示例',
    'Encrypted API': '加密 API',
    'Browser API': '浏览器 API',
  },
  'zh-TW': {
    request: '請求',
    headers: '請求標頭',
    answers: '回應',
    optional: '可選',
    back: '返回示範',
    sealed: 'JWE 內容',
    contents: '目錄',
    example: '範例',
    'Encrypted API': '加密 API',
    'Browser API': '瀏覽器 API',
  },
}

type Words = (typeof words)['en']

type Entry = { path: string; method: string; operation: Operation }

export function apiView(
  { info, paths, components }: OpenApi,
  { lang, theme }: Settings,
  set: (change: Partial<Settings>) => void,
): TemplateResult {
  const [t, common] = [words[lang], commonWords[lang]]
  const operations: Entry[] = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )
  const show = (schema: Schema) => schemaView(schema, components.schemas, t, lang)
  const languageChoices = languages.map((value) => ({ value, content: languageNames[value], testId: `lang-${value}` }))
  const themeChoices = settingValues.theme.map((value) => ({
    value,
    content: icons[value],
    label: common[value],
    testId: `theme-${value}`,
  }))
  return html`
    <main class="api">
      <div class="api-bar">
        <a class="api-back" href="./${location.search}">${t.back}</a>
        ${choiceView(common.language, languageChoices, lang, (value) => set({ lang: value as Language }))}
        ${choiceView(common.theme, themeChoices, theme, (value) => set({ theme: value as Theme }))}
      </div>
      <h1>${info.title} API</h1>
      <p class="api-lead">${translateDescription(info.description, lang).replaceAll('`', '')}</p>
      ${contentsView(operations, lang)}
      ${operations.map((entry) => operationView(entry, lang, show))}
    </main>
  `
}

/** The operations by tag. */
function contentsView(operations: Entry[], lang: Language): TemplateResult {
  const t = words[lang]
  const groups = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? '')
  return html`<nav class="api-contents" aria-label=${t.contents}>
    ${[...groups].map(
      ([tag, entries]) => html`<h2>${t[tag as keyof Words] ?? tag}</h2>
        <ul>
          ${entries.map(
            ({ path, method, operation }) =>
              html`<li><a href=${`#${operation.operationId}`}><code>${method.toUpperCase()} ${path}</code></a> ${summaryOf(operation, lang)}</li>`,
          )}
        </ul>`,
    )}
  </nav>`
}

const summaryOf = (operation: Operation, lang: Language) =>
  lang === 'en' ? operation.summary : (operation['x-summary-zh'] ?? operation.summary)

type Show = (schema: Schema) => TemplateResult

function operationView({ path, method, operation }: Entry, lang: Language, show: Show): TemplateResult {
  const t = words[lang]
  const { parameters, requestBody, responses } = operation
  return html`
    <section class="api-operation" id=${operation.operationId}>
      <h2><span class="api-method">${method}</span> <code>${path}</code></h2>
      <p>${summaryOf(operation, lang)}</p>
      ${exampleView(t.example, exampleText(location.origin, path, method, operation))}
      ${parameters ? html`<h3>${t.headers}</h3>${parameters.map((parameter) => headerView(parameter, lang))}` : nothing}
      ${requestBody ? html`<h3>${t.request}</h3>${contentView(requestBody.content, show)}` : nothing}
      <h3>${t.answers}</h3>
      ${Object.entries(responses).map(
        ([status, { description, content }]) => html`
          <details ?open=${status === '200'}>
            <summary><b>${status}</b> ${translateDescription(description, lang)}</summary>
            ${content ? contentView(content, show) : nothing}
          </details>
        `,
      )}
    </section>
  `
}

const headerView = ({ name, description }: { name: string; description: string }, lang: Language) =>
  html`<p class="api-member"><code>${name}</code> <span>${translateDescription(description, lang)}</span></p>`

const contentView = (content: Content, show: Show) =>
  Object.entries(content).map(([type, { schema }]) => html`<p class="api-type">${type}</p>${show(schema)}`)

/**
 * Renders one line per property, with nested properties below their parent. For `oneOf`, it lists the properties of
 * every alternative.
 */
function schemaView(schema: Schema, all: Record<string, Schema>, t: Words, lang: Language): TemplateResult {
  const { $ref, contentSchema, oneOf, allOf, properties, required = [] } = schema
  const show = (inner: Schema) => schemaView(inner, all, t, lang)
  if ($ref) return show(all[$ref.split('/').at(-1) ?? ''] ?? {})
  if (contentSchema) return html`<p class="api-type">${t.sealed}</p>${show(contentSchema)}`
  if (oneOf ?? allOf) return html`${(oneOf ?? allOf)?.map((form) => html`<div class="api-form">${show(form)}</div>`)}`
  if (!properties) return html`<p class="api-member"><span>${typeOf(schema)}</span></p>`
  return html`${Object.entries(properties).map(([name, member]) => {
    const isNested = member.properties || member.oneOf || member.$ref
    return html`
      <p class="api-member">
        <code>${name}</code>
        <span>${typeOf(member)}${required.includes(name) ? '' : ` · ${t.optional}`}</span>
        <span>${translateDescription(member.description ?? '', lang)}</span>
      </p>
      ${isNested ? html`<div class="api-nested">${show(member)}</div>` : nothing}
    `
  })}`
}

function typeOf({ type, const: only, enum: choices, items }: Schema): string {
  if (only !== undefined) return JSON.stringify(only)
  if (choices) return choices.map((choice) => JSON.stringify(choice)).join(' | ')
  if (type === 'array') return `${typeOf(items ?? {})}[]`
  return Array.isArray(type) ? type.join(' | ') : (type ?? 'object')
}
