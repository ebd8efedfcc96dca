import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqliteStore } from '../../../../server/store/sqlite/sqlite-store.ts'
import type { CommitNotice } from '../../../../server/store/store.ts'
import { createFakeTime } from '../../../support/fake-time.ts'
import { addUser, bindTo } from '../../../support/rows.ts'

const settings = { hashOf: (...parts: string[]) => parts.join(), hasWebhook: () => false }
const amy = { tenant: 'default', account: 'acme', userId: 'amy' }

test('a server notices a commit of a command within a second, and does not report its own commits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  const file = join(folder, 'bind.db')
  const time = createFakeTime()
  const server = await openSqliteStore({ file, ...settings, setTimer: time.setTimer })
  const command = await openSqliteStore({ file, ...settings, isCommand: true })
  const notices: CommitNotice[] = []
  server.onCommit((notice) => notices.push(notice))
  time.advance(1_000)
  const user = await addUser(server, amy)
  time.advance(5_000)
  expect(notices).not.toContain('missed')
  await bindTo(command, user, 'o1')
  time.advance(1_000)
  expect(notices.filter((notice) => notice === 'missed')).toHaveLength(1)
  await server.close()
  expect(time.pending()).toBe(0)
  await command.close()
  rmSync(folder, { recursive: true })
})
