/** Generates an example of each request of the API from the schema of the request. */
import { html, type TemplateResult } from 'lit'
import type { Operation, Schema } from '../openapi.ts'

const samples: Record<string, unknown> = { Account: 'acme', User_ID: '42', code: '1234' }

/** Returns the required members of a schema with sample values. */
function sampleOf({ properties = {}, required = [] }: Schema): object {
  const sampleValue = (name: string, { const: only }: Schema) =>
    only ?? samples[name] ?? (name === 'Date' ? Math.floor(Date.now() / 1000) : undefined)
  const named = Object.entries(properties).filter(([name]) => required.includes(name))
  return Object.fromEntries(named.map(([name, member]) => [name, sampleValue(name, member)]))
}

export function exampleText(
  origin: string,
  path: string,
  method: string,
  { requestBody, parameters }: Operation,
): string {
  const [[type = '', content] = []] = Object.entries(requestBody?.content ?? {})
  const schema = content?.schema ?? {}
  const isSealed = type === 'application/jose'
  const body = requestBody && JSON.stringify(sampleOf(schema.contentSchema ?? schema))
  const lines = [
    `curl -X ${method.toUpperCase()} ${origin}${path}`,
    isSealed ? `-H 'Content-Type: application/jose'` : `-H 'Authorization: Bearer <widget token>'`,
    ...(body && !isSealed ? [`-H 'Content-Type: application/json'`] : []),
    ...(parameters ?? []).filter(({ name }) => name === 'Prefer').map(({ name }) => `-H '${name}: wait=25'`),
    ...(body ? [`-d '${isSealed ? `<JWE of ${body}>` : body}'`] : []),
  ]
  return lines.join(' \\\n  ')
}

export const exampleView = (title: string, text: string): TemplateResult =>
  html`<h3>${title}</h3><pre class="api-example" tabindex="0">${text}</pre>`
