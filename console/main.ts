/** The entry of the console. */
import { startConsole } from './app.ts'
import { createDraw } from './draw.ts'

startConsole({
  fetch: (...request) => fetch(...request),
  storage: localStorage,
  languages: navigator.languages,
  clock: Date.now,
  draw: createDraw(document.body),
  save,
})

/** Saves a file as a download. */
function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  // The browser has started the download before this timer fires.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
