/** The parts of an OpenAPI description that the API page shows. */
export type Schema = {
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

export type Content = Record<string, { schema: Schema }>
export type Operation = {
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
