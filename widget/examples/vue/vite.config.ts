import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** Tells Vue which tag is not one of its own. */
export default defineConfig({
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === 'wechat-bind' } } })],
})
