import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileAccess } from '../../../server/doctor/file-access.ts'
import { checkFiles } from '../../../server/doctor/files.ts'
import { SECRET } from '../../support/test-server.ts'
import { type DoctorFixture, idsOf, openDoctorFixture } from './doctor-fixture.ts'

let fixture: DoctorFixture
let folder: string
beforeEach(async () => {
  fixture = await openDoctorFixture()
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  await fixture.close()
})

function write(name: string, mode: number): string {
  const file = join(folder, name)
  writeFileSync(file, `k1:${SECRET}`)
  chmodSync(file, mode)
  return file
}

const check = (env: Record<string, string>, envFiles: string[] = []) =>
  checkFiles(fixture.config(env), { modeOf: fileAccess.modeOf, envFiles })

describe('checkFiles', () => {
  test.each([
    [0o600, 'files.ok ok'],
    [0o640, 'files.ok ok'],
    [0o644, 'files.open warn'],
    [0o604, 'files.open warn'],
    [0o622, 'files.open warn'],
  ])('finds for a key file of mode %o: %s', (mode, expected) => {
    const file = write('keys', mode)
    expect(idsOf(check({ BIND_KEYS_FILE: file }))).toEqual([expected])
  })

  test('names each file that others can read, with its mode and the command that changes it', () => {
    const [database, env] = [write('bind.db', 0o644), write('wechat-bind.env', 0o666)]
    write('bind.db-wal', 0o604)
    write('bind.db-shm', 0o600)
    const findings = check({ DATABASE_URL: `sqlite:${database}` }, [env])
    expect(findings.map(({ en }) => en)).toEqual([
      `Every user of this machine can change ${env}. The file holds the settings, and its mode is 666.`,
      `Every user of this machine can read ${database}. The file holds openids (DATABASE_URL), and its mode is 644.`,
      `Every user of this machine can read ${database}-wal. The file holds openids (DATABASE_URL), and its mode is 604.`,
    ])
    expect(findings[1]?.fix?.en).toBe(`Run chmod 600 ${database} as its owner.`)
  })

  test('reports nothing if the files do not exist', () => {
    expect(check({}, [join(folder, 'none')])).toEqual([])
    expect(check({ DATABASE_URL: 'postgres://user:password@host/database' })).toEqual([])
  })
})

describe('fileAccess', () => {
  const envFilesOf = (...args: string[]) =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          ...args,
          '--input-type=module',
          '-e',
          `const { fileAccess } = await import(${JSON.stringify(new URL('../../../server/doctor/file-access.ts', import.meta.url))}); console.log(JSON.stringify(fileAccess.envFiles))`,
        ],
        { encoding: 'utf8' },
      ),
    )

  test('knows the files of --env-file and of the systemd unit', () => {
    const file = join(folder, 'my.env')
    writeFileSync(file, 'A=1\n')
    expect(envFilesOf(`--env-file=${file}`)).toEqual([file, '/etc/wechat-bind.env'])
    expect(envFilesOf('--env-file-if-exists', file)).toEqual([file, '/etc/wechat-bind.env'])
    expect(envFilesOf()).toEqual(['/etc/wechat-bind.env'])
  })
})
