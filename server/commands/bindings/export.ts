/** `wechat-bind bindings export`: NDJSON, one binding per line, in the order of `listBindings`. Node only. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BindError, counted } from '../../errors.ts'
import type { BindingFilter } from '../../store/binding-walk.ts'
import type { Store } from '../../store/store.ts'
import type { Terminal } from '../terminal.ts'
import { toBindingLine } from './binding-line.ts'
import { walkPages } from './walk.ts'

type ExportDeps = { store: Pick<Store, 'listBindings'>; terminal: Terminal }

/** Without a file, writes to stdout. */
export async function exportAll(deps: ExportDeps, filter: BindingFilter, file: string | undefined): Promise<void> {
  const { terminal } = deps
  const count =
    file === undefined
      ? await writeAll(deps, filter, (text) => terminal.write(text))
      : await replaceFile(file, (write) => writeAll(deps, filter, write))
  await terminal.report(`Exported: ${counted(count, 'binding')}. 已导出：${count} 条绑定。`)
}

type Write = (text: string) => Promise<unknown>

async function writeAll({ store, terminal }: ExportDeps, filter: BindingFilter, write: Write): Promise<number> {
  let count = 0
  for await (const page of walkPages(store, filter, 1000)) {
    await write(page.map((bound) => `${JSON.stringify(toBindingLine(bound))}\n`).join(''))
    count += page.length
    terminal.progress(`${count}`)
  }
  return count
}

/** Writes to a new file that only its owner may read, and renames it when it is complete. An error leaves an earlier file unchanged. */
async function replaceFile<T>(file: string, fill: (write: Write) => Promise<T>): Promise<T> {
  const partial = `${file}.${randomUUID().slice(0, 8)}.part`
  let handle: FileHandle | undefined
  try {
    handle = await open(partial, 'wx', 0o600)
    const opened = handle
    const result = await fill((text) => opened.appendFile(text))
    await handle.sync()
    await handle.close()
    await rename(partial, file)
    return result
  } catch (error) {
    await handle?.close().catch(() => {})
    await rm(partial, { force: true })
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof BindError || code === undefined) throw error
    throw new BindError(
      'BAD_REQUEST',
      `The file cannot be written (${code}): check the folder ${dirname(file)} and the free space.\n文件无法写入（${code}）：请检查目录 ${dirname(file)} 与剩余空间。`,
      { cause: error },
    )
  }
}
