/** Configures `cem analyze`, which writes dist/custom-elements.json and the editor data from the JSDoc of widget/wechat-bind.ts. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'

/** Returns the declaration of `<wechat-bind>` in the manifest. */
const findElement = ({ modules }) => modules.flatMap(({ declarations }) => declarations).find(({ tagName }) => tagName)

/** Returns the members of a union type such as `'a' | 'b'`, in VS Code's format. */
const valuesOf = (type = '') => [...type.matchAll(/'([^']+)'/g)].map(([, name]) => ({ name }))

function toHtmlData({ tagName, description, attributes }) {
  const toAttribute = ({ name, description, type }) => ({ name, description, values: valuesOf(type?.text) })
  return { version: 1.1, tags: [{ name: tagName, description, attributes: attributes.map(toAttribute) }] }
}

function toCssData({ cssProperties, cssParts }) {
  return {
    version: 1.1,
    properties: cssProperties.map(({ name, description }) => ({ name, description })),
    pseudoElements: cssParts.map(({ name, description }) => ({ name: `::part(${name})`, description })),
  }
}

export default {
  globs: ['widget/*.ts'],
  outdir: 'dist',
  litelement: true,
  plugins: [
    {
      // Replaces the TypeScript sources in the manifest with the published .js files.
      name: 'published-paths',
      packageLinkPhase({ customElementsManifest }) {
        const published = (path) => path?.replace(/^\/?widget\/(.*)\.ts$/, 'widget/$1.js')
        for (const module of customElementsManifest.modules) {
          module.path = published(module.path)
          for (const declaration of module.declarations)
            if (declaration.superclass?.module) declaration.superclass.module = published(declaration.superclass.module)
          for (const exported of module.exports)
            if (exported.declaration.module) exported.declaration.module = published(exported.declaration.module)
        }
      },
    },
    {
      // Writes VS Code's custom data and copies the type files for each framework.
      name: 'editors',
      packageLinkPhase({ customElementsManifest }) {
        const element = findElement(customElementsManifest)
        mkdirSync('dist', { recursive: true })
        writeFileSync('dist/vscode.html-custom-data.json', JSON.stringify(toHtmlData(element), null, 2))
        writeFileSync('dist/vscode.css-custom-data.json', JSON.stringify(toCssData(element), null, 2))
        cpSync('widget/frameworks', 'dist/widget/frameworks', { recursive: true })
      },
    },
  ],
}
