import { jsxTypesPlugin } from '@wc-toolkit/jsx-types'

export default {
  globs: ['widget/*.ts'],
  outdir: 'dist',
  litelement: true,
  plugins: [
    {
      // The manifest describes the published files, not their sources.
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
    jsxTypesPlugin({ outdir: 'dist', fileName: 'jsx.d.ts', componentTypePath: () => './widget/wechat-bind.js' }),
  ],
}
