/**
 * Writes the pages for coding agents, `llms.txt` and `docs/skill/SKILL.md`: run `npm run build`, then
 * `node test/support/agent-pages.ts`. Attributes, methods and events come from the manifest. Calls and codes come from the OpenAPI
 * description, code from the README, and the list of documents from `docs/README.md`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { openapi } from '../../server/api/openapi.ts'
import { errorCodes } from '../../server/errors.ts'
import { code, element, table } from './widget-readme.ts'

type Schema = {
  properties?: Record<string, Schema>
  required?: string[]
  contentSchema?: Schema
  enum?: string[]
  const?: string
  description?: string
}
type Operation = {
  summary: string
  tags: string[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** Returns the fenced code blocks of a section of the README, with their fences. */
function codeOf(heading: string): string[] {
  const [, section = ''] = textOf('README.md').split(`\n## ${heading}\n`)
  const blocks = section.split('\n## ')[0]?.match(/^```[\s\S]*?^```$/gm)
  if (!blocks) throw new Error(`the README has no code under "${heading}"`)
  return blocks
}

const paths = openapi.paths as Record<string, Record<string, Operation>>
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ request: `${method.toUpperCase()} ${path}`, ...operation })),
)
const encrypted = operations.filter(({ tags }) => tags.includes('Encrypted API'))
const [encryptedCall] = encrypted
if (!encryptedCall) throw new Error('the OpenAPI description has no operation of the encrypted API')

const contentOf = (content: Record<string, { schema: Schema }> | undefined) =>
  content?.['application/jose']?.schema.contentSchema

/** Returns the names of the fields. An optional field has a question mark. */
const fieldsOf = ({ properties = {}, required = [] }: Schema = {}) =>
  Object.entries(properties)
    .map(([name, { const: value }]) =>
      code(`${name}${required.includes(name) ? '' : '?'}${value ? `: "${value}"` : ''}`),
    )
    .join(', ')

const dataOf = ({ responses }: Operation) => contentOf(responses[200]?.content)?.properties?.Data

const codesIn = (operation: Operation) =>
  Object.entries(operation.responses).flatMap(([status, { content }]) =>
    (contentOf(content)?.properties?.Code?.enum ?? []).map((name) => ({ name, status })),
  )

const refusals = [...new Map(encrypted.flatMap(codesIn).map((each) => [each.name, each])).values()]

const token = (openapi.components as { schemas: Record<string, Schema> }).schemas.WidgetToken

const described = (entries: { name: string; description?: string }[]) =>
  entries.map(({ name, description = '' }) => [code(name), description])

const methods = element.members.filter(
  ({ name, kind, privacy }) =>
    kind === 'method' && privacy !== 'private' && ['start', 'stop', 'refresh', 'confirm', 'unbind'].includes(name),
)

const [tag, listen] = codeOf('In a page')
const [, client] = codeOf('In your back end')
const [serve] = codeOf('The server')

const skill = `---
name: wechat-bind
description: >-
  Bind the WeChat account of a signed-in user with wechat-bind: add the <wechat-bind> element to a page, mint widget tokens, call
  the encrypted API, verify webhooks, run the bind server, and test all of it with the simulated WeChat. Use for WeChat account
  binding, 微信绑定, QR codes of an Official Account (公众号, 服务号), or code that imports wechat-bind.
---

# wechat-bind

Three parts: the element \`<wechat-bind>\` in the page, the bind server (\`wechat-bind serve\`), and your back end. The page gets a widget token from your back end. The element shows a QR code from
the bind server. The user scans it, WeChat calls the bind server, and the element emits \`bound\`. Your back end reads the binding over the encrypted API or receives a webhook.

## Rules

- The key (\`BIND_KEYS\`) belongs to back ends only. The browser gets nothing but a widget token.
- Mint a token only for the user of the current session. Never take the user id from the request.
- If a binding lets someone sign in, set \`CONFIRM=code\` on the server.
- Compare \`Version\`: webhooks arrive at least once, in order per user.
- The account must be a verified service account (认证服务号); for trials, a sandbox account (测试号) with \`WECHAT_MODE=plain\`.

## 1. Add the tag

${tag}

With a bundler: \`npm install wechat-bind\` and \`import 'wechat-bind/define'\`.

${listen}

${table(['attribute', 'meaning'], described(element.attributes))}

${table(['event', 'meaning'], described(element.events))}

${table(['method', 'meaning'], described(methods))}

Slots, parts and custom properties: [element.md](../element.md). In frameworks that set properties, use \`refreshMode\` instead of \`refresh\`.

## 2. Mint a token

\`token-url\` is a GET endpoint of your site, behind your own session. It answers \`{"token":"…"}\`:

\`\`\`ts
app.get('/my/wechat-token', async (request, response) => {
  const user = requireSignedIn(request) // your own session
  response.json({ token: await bind.mintToken({ account: 'acme', userId: user.id, label: user.maskedEmail }) })
})
\`\`\`

\`bind\` is the client of step 3. In other languages, encrypt these fields as a JWE with \`typ: wechat-bind-token+jwe\`: ${fieldsOf(token)}. Ready-made clients:
[clients.md](../clients.md).

## 3. Call the API

${client}

${table(
  ['call', 'does', 'request', '`Data` of the reply'],
  encrypted.map((operation) => [
    code(operation.request),
    operation.summary,
    fieldsOf(contentOf(operation.requestBody?.content)),
    fieldsOf(dataOf(operation)),
  ]),
)}

The client throws a \`BindError\` with a \`code\`: \`UNREACHABLE\` if no answer came, \`UNAUTHORIZED\` if the server does not know the key, or a code of the encrypted reply:

${table(
  ['code', 'HTTP', 'meaning'],
  refusals.map(({ name, status }) => [code(name), status, errorCodes[name as keyof typeof errorCodes].title]),
)}

To be notified, set \`WEBHOOK_URL\` and \`WEBHOOK_SECRET\` on the server, and verify each delivery with the raw body: \`bind.verifyWebhook(body, headers)\` returns the payload (\`binding.bound\`,
\`binding.unbound\`) or throws.

## 4. Run the server

${serve}

Every setting: [api.md](../api.md#configuration). Production: [operations.md](../operations.md).

## 5. Test with the simulator

\`npm install -D wechat-bind-server\`; \`npx wechat-bind demo\` starts a bind server and a simulated WeChat at \`http://127.0.0.1:4000\`, without any account. In a browser test:

\`\`\`ts
import { createSimulatorClient } from 'wechat-bind-server/simulator'

const wechat = createSimulatorClient('http://127.0.0.1:4000/simulator')

await page.locator('wechat-bind:state(ready)').waitFor()
await wechat.phone('zoe').scan({ follow: true })
await page.locator('wechat-bind:state(bound)').waitFor()
\`\`\`

Test users with a fixed behaviour, faults and the HTTP API of the simulator: [simulator.md](../simulator.md).
`

/** Reads \`docs/README.md\`. Returns the first link of each row as a path from the root, and the row's last cell. */
const documents = [...textOf('docs/README.md').matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \| .+ \| (.+) \|$/gm)].map(
  ([, path = '', content = '']) => ({ path: new URL(path, 'file:///docs/').pathname.slice(1), content }),
)

/** The first paragraph of the README. */
const intro = textOf('README.md')
  .split('\n\n')
  .find((block) => !/^[#[]/.test(block))

const llms = `# wechat-bind

> ${intro?.replaceAll('\n', ' ')}

- Element: \`<wechat-bind>\` with ${element.attributes.map(({ name }) => code(name)).join(', ')}; events ${element.events.map(({ name }) => code(name)).join(', ')}
- Encrypted API: ${encrypted.map(({ request }) => code(request)).join(', ')}
- Package \`wechat-bind\`, for a site: \`wechat-bind/define\` (registers the tag), \`wechat-bind\` (the class), \`wechat-bind/client\` (back end)
- Package \`wechat-bind-server\`: the command \`wechat-bind\`, \`wechat-bind-server\` (mount the server), \`wechat-bind-server/simulator\` (tests)
- A running server describes its API at \`/openapi.json\`; the package describes the element in \`custom-elements.json\`

## Start here

- [README.md](README.md): the commands, the tag, the back end, the server
- [docs/skill/SKILL.md](docs/skill/SKILL.md): step by step for coding agents

## Documents

${documents
  .filter(({ path }) => path !== 'docs/skill/SKILL.md')
  .map(({ path, content }) => `- [${path}](${path}): ${content}`)
  .join('\n')}
`

/** Returns the current text and the expected text of each page. */
export const agentPages = [
  { path: 'llms.txt', wanted: llms },
  { path: 'docs/skill/SKILL.md', wanted: skill },
].map((page) => ({ ...page, write: () => writeFileSync(new URL(page.path, root), page.wanted) }))

if (import.meta.main) for (const { write } of agentPages) write()
