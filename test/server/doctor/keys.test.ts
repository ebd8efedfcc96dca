import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAesKeys, checkKeys, checkMode } from '../../../server/doctor/keys.ts'
import { readKeyFile } from '../../../server/keys/key-file.ts'
import { OTHER_SECRET, SECRET } from '../../support/test-server.ts'
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

describe('checkMode', () => {
  test('warns only of plain mode', () => {
    const found = (WECHAT_MODE: string) => idsOf([checkMode(fixture.config({ WECHAT_MODE }))])[0]
    expect(['secure', 'compatible', 'plain'].map(found)).toEqual(['mode.ok ok', 'mode.ok ok', 'mode.plain warn'])
  })
})

describe('checkAesKeys', () => {
  const check = (key: string) => checkAesKeys(fixture.config({ WECHAT_ENCODING_AES_KEY: key }))
  const canonical = `${'A'.repeat(42)}E`
  const surplus = `${'A'.repeat(42)}F`

  test('reports that a key decodes, and that unused bits may be set', () => {
    expect(idsOf(check(canonical))).toEqual(['aes-key.ok ok'])
    expect(check(canonical)[0]?.en).toBe('The EncodingAESKey has 43 characters and decodes to 32 bytes.')
    expect(check(surplus)[0]?.en).toContain('unused bits at the end may be set')
    expect(check(surplus)[0]?.zh).toContain('末位有未使用的比特，属正常情况')
  })

  test('reports both keys during a rotation', () => {
    expect(idsOf(check(`${canonical},${surplus}`))).toEqual(['aes-key.ok ok'])
    expect(check(`${canonical},${surplus}`)[0]?.en).toContain('Both EncodingAESKeys have 43 characters and decode to')
  })

  test('finds a malformed key', () => {
    const config = fixture.config()
    expect(idsOf(checkAesKeys({ ...config, wechat: { ...config.wechat, encodingAesKeys: ['short'] } }))).toEqual([
      'aes-key.wrong wrong',
    ])
  })

  test('warns of a key of zeros', () => {
    expect(idsOf(check('A'.repeat(43)))).toEqual(['aes-key.guessable warn'])
    expect(idsOf(check(`${canonical},${'A'.repeat(43)}`))).toEqual(['aes-key.guessable warn'])
  })

  test('reports nothing in plain mode', () => {
    expect(checkAesKeys(fixture.config({ WECHAT_MODE: 'plain' }))).toEqual([])
  })
})

describe('checkKeys', () => {
  const checkFile = (path: string) => checkKeys(fixture.config({ BIND_KEYS_FILE: path }), readKeyFile)

  test('counts the keys', () => {
    const [finding, ...more] = checkKeys(fixture.config(), readKeyFile)
    expect(finding).toMatchObject({ id: 'keys.ok', level: 'ok', en: 'BIND_KEYS has 1 key.' })
    expect(more).toEqual([])
  })

  test('counts the keys in BIND_KEYS_FILE', () => {
    const file = join(folder, 'keys')
    writeFileSync(file, `k1:${SECRET}\nk2:${OTHER_SECRET}:other\n`)
    expect(idsOf(checkFile(file))).toEqual(['keys.ok ok'])
    expect(checkFile(file)[0]?.en).toBe('BIND_KEYS_FILE has 2 keys.')
  })

  test('reports a file that is missing or malformed, without its content', () => {
    expect(idsOf(checkFile(join(folder, 'none')))).toEqual(['config.BIND_KEYS_FILE wrong'])
    const file = join(folder, 'keys')
    writeFileSync(file, `k1 ${SECRET}`)
    expect(idsOf(checkFile(file))).toEqual(['config.BIND_KEYS_FILE wrong'])
    expect(JSON.stringify(checkFile(file))).not.toContain(SECRET)
  })
})
