/**
 * Stops `npm start`, `npm run build` and `npm test` in a folder whose path the tools cannot handle. The error messages
 * of the tools themselves would be misleading.
 */
import { delimiter } from 'node:path'

// Vite ignores the part of a path after # or ?, TypeScript treats * and ? as patterns, Vitest decodes %, and the
// delimiter separates the folders in PATH.
const refused = [...'#?*%', delimiter].filter((character) => import.meta.dirname.includes(character))

if (refused.length > 0) {
  const list = refused.join(' ')
  console.error(
    `The path of this folder contains ${list}, which Vite, Vitest or TypeScript cannot handle: move or rename the folder (${import.meta.dirname}).
此文件夹的路径包含 ${list}，Vite、Vitest 或 TypeScript 无法处理：请移动或重命名该文件夹。`,
  )
  process.exit(1)
}
