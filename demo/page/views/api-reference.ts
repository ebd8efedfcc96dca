/** Renders an OpenAPI description: each operation with its parameters, request and responses. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Language } from '../settings.ts'

type Schema = {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  default?: unknown
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  oneOf?: Schema[]
  allOf?: Schema[]
  contentSchema?: Schema
}

type Content = Record<string, { schema: Schema }>
type Operation = {
  operationId: string
  summary: string
  'x-summary-zh'?: string
  tags: string[]
  parameters?: { name: string; description: string }[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; content?: Content }>
}

export type OpenApi = {
  info: { title: string; description: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const words = {
  en: {
    request: 'Request',
    headers: 'Headers',
    answers: 'Responses',
    optional: 'optional',
    back: 'Back to the demo',
    sealed: 'JWE payload',
  },
  'zh-CN': {
    request: '请求',
    headers: '请求头',
    answers: '响应',
    optional: '可选',
    back: '返回演示',
    sealed: 'JWE 内容',
  },
  'zh-TW': {
    request: '請求',
    headers: '請求標頭',
    answers: '回應',
    optional: '可選',
    back: '返回示範',
    sealed: 'JWE 內容',
  },
}

type Words = (typeof words)['en']

export function apiView({ info, paths, components }: OpenApi, lang: Language): TemplateResult {
  const t = words[lang]
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )
  const show = (schema: Schema) => schemaView(schema, components.schemas, t)
  return html`
    <main class="api">
      <a class="api-back" href="./${location.search}">${t.back}</a>
      <h1>${info.title} API</h1>
      <p class="api-lead">${info.description.replaceAll('`', '')}</p>
      ${operations.map(({ path, method, operation }) => operationView(path, method, operation, lang, show))}
    </main>
  `
}

type Show = (schema: Schema) => TemplateResult

function operationView(path: string, method: string, operation: Operation, lang: Language, show: Show): TemplateResult {
  const t = words[lang]
  const { summary, parameters, requestBody, responses } = operation
  return html`
    <section class="api-operation" id=${operation.operationId}>
      <h2><span class="api-method">${method}</span> <code>${path}</code></h2>
      <p>${lang === 'en' ? summary : (operation['x-summary-zh'] ?? summary)}</p>
      ${parameters ? html`<h3>${t.headers}</h3>${parameters.map(headerView)}` : nothing}
      ${requestBody ? html`<h3>${t.request}</h3>${contentView(requestBody.content, show)}` : nothing}
      <h3>${t.answers}</h3>
      ${Object.entries(responses).map(
        ([status, { description, content }]) => html`
          <details ?open=${status === '200'}>
            <summary><b>${status}</b> ${description}</summary>
            ${content ? contentView(content, show) : nothing}
          </details>
        `,
      )}
    </section>
  `
}

const headerView = ({ name, description }: { name: string; description: string }) =>
  html`<p class="api-member"><code>${name}</code> <span>${description}</span></p>`

const contentView = (content: Content, show: Show) =>
  Object.entries(content).map(([type, { schema }]) => html`<p class="api-type">${type}</p>${show(schema)}`)

/** Renders one line per property, with nested properties below their parent. `oneOf` lists every form. */
function schemaView(schema: Schema, all: Record<string, Schema>, t: Words): TemplateResult {
  const { $ref, contentSchema, oneOf, allOf, properties, required = [] } = schema
  const show = (inner: Schema) => schemaView(inner, all, t)
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
        <span>${member.description ?? ''}</span>
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
