/** The OpenAPI 3.1 description, generated from the schemas that validate the requests. */
import { browserPaths } from './openapi/browser-api.ts'
import { encryptedPaths } from './openapi/encrypted-api.ts'
import type { Json } from './openapi/json-schema.ts'
import { schemas } from './openapi/schemas.ts'

const description = `Each request and each reply of the encrypted API is one compact JWE (RFC 7516) with alg \`dir\` and enc \`A256GCM\`. Its
protected header has a \`kid\`, and a \`jti\` that is used only once. \`contentSchema\` describes the JSON plaintext. The browser
API expects a widget token as bearer token.`

export const openapi: Json = {
  openapi: '3.1.0',
  info: { title: 'wechat-bind', version: '1', description },
  paths: { ...encryptedPaths, ...browserPaths },
  components: {
    schemas,
    securitySchemes: {
      widgetToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWE, typ wechat-bind-token+jwe' },
    },
  },
}
