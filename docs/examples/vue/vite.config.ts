import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** `isCustomElement`: Vue's compiler must not resolve the tag as a Vue component. */
export default defineConfig({
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === 'wechat-bind' } } })],
})
