import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'

/** Starts one demo for all tests of a file. */
export function useDemo() {
  let demo: Demo
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    demo = await startDemo({ env: { PORT: '0', LOG_LEVEL: 'silent' }, dataDir: folder })
  })
  afterAll(async () => {
    await demo.close()
    rmSync(folder, { recursive: true })
  })

  return {
    get demo() {
      return demo
    },

    /** Resets the conditions for the next test. All people unfollow the account, which ends their bindings. */
    async reset(): Promise<void> {
      await demo.set({})
      await Promise.all(demo.simulator.phones.map((phone) => phone.unfollow()))
    },
  }
}
