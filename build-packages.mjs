/**
 * Copies the built files from `dist` to `widget/dist` and `server/dist`, the contents of the packages `wechat-bind` and
 * `wechat-bind-server`. Both packages have the same folders as `dist`, so that the relative imports of a file work in a
 * checkout and in a package. The package of the element contains only the server files that its exports import.
 */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = import.meta.dirname
const built = join(root, 'dist')

/** Returns the relative imports of a module or of its type declarations, including `import("./x.js")` in a type. */
const importsOf = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport |\bimport\()["'](\.{1,2}\/[^"']+)["']/g)].map(
    ([, path]) =>
      // In declarations, './x.ts' is the name of the source file and stands for x.d.ts.
      join(dirname(file), path.replace(/\.ts$/, '.js')),
  )

const declarationsOf = (file) => file.replace(/\.js$/, '.d.ts')

/** Returns the modules with their declarations, and all files that they import. */
function closureOf(entries) {
  const found = new Set()
  const visit = (module) => {
    if (found.has(module)) return
    found.add(module)
    for (const file of [module, declarationsOf(module)].filter(existsSync)) importsOf(file).forEach(visit)
  }
  entries.forEach(visit)
  return [...found].flatMap((module) => [module, declarationsOf(module)]).filter(existsSync)
}

/** Returns the built modules that are in the exports of a package. */
function exportsOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? target : Object.values(target),
  )
  return targets.filter((path) => path.endsWith('.js')).map((path) => join(root, path))
}

function fill(folder, files) {
  const dist = join(root, folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  for (const file of files) cpSync(file, join(dist, relative(built, file)), { recursive: true })
  cpSync(join(root, 'LICENSE'), join(root, folder, 'LICENSE'))
}

const inDist = (...names) => names.map((name) => join(built, name))

if (!existsSync(join(built, 'cdn/wechat-bind.js')) || !existsSync(join(built, 'server/cli.js'))) {
  console.error(
    'dist/ is not built: run "npm run build" in the root folder. 尚未构建 dist/：请在根目录运行 npm run build。',
  )
  process.exit(1)
}

const editorData = inDist('custom-elements.json', 'vscode.html-custom-data.json', 'vscode.css-custom-data.json')
fill('widget', [...inDist('widget', 'cdn'), ...editorData, ...closureOf(exportsOf('widget'))])
fill('server', inDist('server', 'demo', 'page', 'console', 'cdn', 'custom-elements.json'))
