import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import stringWidth from 'string-width'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSimulator } from '../../../demo/simulator/simulator.ts'
import { runBindings } from '../../../server/commands/bindings.ts'
import { openStore } from '../../../server/store/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { newMigratedDatabase } from '../../support/databases.ts'
import { createTestTerminal } from '../../support/test-terminal.ts'

const NOW = Date.UTC(2026, 0, 15, 8)
const amy = { tenant: 'default', account: 'acme', userId: 'amy' }
const bo = { ...amy, userId: 'bo' }

let folder: string
let env: Record<string, string>
const opened: Store[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  env = { WECHAT_APP_ID: 'wx1', WECHAT_APP_SECRET: 's', DATABASE_URL: `sqlite:${join(folder, 'bind.db')}` }
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
  rmSync(folder, { recursive: true })
})

async function open(): Promise<Store> {
  const store = await openStore(env.DATABASE_URL!, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  opened.push(store)
  return store
}

type Run = { code: number | string; out: string; err: string }

async function run(args: string[], options: { columns?: number; answer?: boolean } = {}): Promise<Run> {
  const { terminal, written } = createTestTerminal(options)
  const code = await runBindings(args, { env, terminal, clock: () => NOW }).catch((error) => {
    written.err += error.message
    return error.code as string
  })
  return { code, ...written }
}

function fileOf(content: string | Buffer, name = 'in.csv'): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const importText = (content: string | Buffer, ...options: string[]) => run(['import', fileOf(content), ...options])

const head = 'Account,User_ID,OpenId\n'

const lines = async () => {
  const { out } = await run(['export'])
  return out
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

const openids = async () => (await lines()).map(({ User_ID, OpenId }) => `${User_ID}=${OpenId}`)

describe('bindings import', () => {
  test('imports CSV and NDJSON, and its own exports', async () => {
    const csv = await importText(`${head}acme,amy,o1\r\nacme,"b,o",o2\r\n`)
    expect(csv).toMatchObject({ code: 0, err: '' })
    expect(csv.out).toContain('Imported: 2 lines, 2 bound (0 replaced), 0 already bound, 0 skipped, 0 refused.')
    const line = {
      Tenant: 'shop',
      Account: 'acme',
      User_ID: '张三',
      OpenId: 'o3',
      UnionId: 'u3',
      AppId: 'wx1',
      IsSubscribed: false,
      BoundAt: 1_700_000_000,
      Label: '张***',
    }
    expect(await importText(`${JSON.stringify(line)}\n`)).toMatchObject({ code: 0 })
    const exported = await lines()
    expect(exported).toContainEqual(line)
    expect(exported[0]).toMatchObject({
      Tenant: 'default',
      AppId: 'wx1',
      IsSubscribed: true,
      BoundAt: NOW / 1000,
      Label: null,
    })
    const { out } = await run(['export'])
    rmSync(join(folder, 'bind.db'))
    for (const suffix of ['-wal', '-shm']) rmSync(join(folder, `bind.db${suffix}`), { force: true })
    expect(await importText(out)).toMatchObject({ code: 0 })
    expect((await run(['export'])).out).toBe(out)
  })

  test('accepts a byte order mark, CRLF, empty lines, and the header lines of other products', async () => {
    const { code } = await importText(
      `\uFEFFuser_id,openid,unionid\r\n\r\namy,o1,\r\nbo,o2,u2\r\n`,
      '--account',
      'acme',
    )
    expect(code).toBe(0)
    expect(await openids()).toEqual(['amy=o1', 'bo=o2'])
    expect((await importText(`${head}acme,amy,o1\r\n\r\nacme,bo,\r\n`)).err).toContain('line 4: OpenId')
    expect(await importText(`\uFEFF{"account":"acme","userId":"cy","openid":"o3"}\r\n\r\n`)).toMatchObject({ code: 0 })
    expect(await openids()).toContain('cy=o3')
  })

  test('records each binding in the history, as an import, and closes the QR codes of its user', async () => {
    const store = await open()
    const ticket = {
      appId: 'wx1',
      scene: 'wb1_a',
      code: 'A',
      wechatTicket: 't',
      url: 'u',
      label: null,
      lang: 'en',
    } as const
    await store.write((tx) => tx.addTicket(amy, { ...ticket, createdAt: NOW, expiresAt: NOW + 60_000 }, false))
    await importText(`${head}acme,amy,o1\n`)
    expect((await store.userRecord(amy))?.history).toMatchObject([{ type: 'bound', reason: 'import', at: NOW }])
    expect(await store.liveTicket(amy, NOW)).toBeUndefined()
  })

  const malformed: [string, string | Buffer, string][] = [
    ['a file of 0 bytes', '', 'the file is empty'],
    ['a JSON array', '[{"Account":"a"}]', 'the file is a JSON array'],
    [
      'text that is no NDJSON',
      `{"Account":"acme","User_ID":"u","OpenId":"o"}\n{oops\n`,
      'line 2: expected a JSON object',
    ],
    [
      'a CSV without a header line',
      'acme,amy,o1\n',
      'line 1 must be the header line of a CSV, with Account, User_ID, OpenId',
    ],
    ['an unknown column', 'Account,User_ID,OpenId,Lable\nacme,amy,o1,x\n', 'line 1 has 1 column with unknown names'],
    ['a column twice', 'Account,User_ID,OpenId,open_id\nacme,amy,o1,o1\n', 'two columns with the same name'],
    [
      'a line with a missing cell',
      `${head}acme,amy,o1\nacme,bo\n`,
      'line 3 has another number of cells than the header line',
    ],
    ['a quotation mark that is not closed', `${head}acme,"amy,o1\n`, 'quotation mark that is never closed'],
    ['a missing openid', `${head}acme,amy,o1\nacme,bo,\n`, 'line 3: OpenId must be 1 to 128 printable'],
    ['a user id with a control character', `${head}acme,"a\u0007",o1\n`, 'line 2: User_ID must be a text'],
    ['a user id that is a number', '{"Account":"acme","User_ID":5,"OpenId":"o1"}', 'line 1: User_ID is a number'],
    [
      'a date that does not exist',
      '{"Account":"a","User_ID":"b","OpenId":"o","BoundAt":"2025-02-30"}',
      'BoundAt must be',
    ],
    [
      'milliseconds',
      '{"Account":"a","User_ID":"b","OpenId":"o","BoundAt":1700000000000}',
      'BoundAt must be Unix seconds',
    ],
    ['text that is not UTF-8', Buffer.from(`${head}acme,\xd5\xc5,o1\n`, 'latin1'), 'not UTF-8'],
    ['UTF-16', Buffer.from(`\uFEFF${head}acme,amy,o1\n`, 'utf16le'), 'not UTF-8'],
    ['a workbook', Buffer.from('PK\u0003\u0004 and so on'), 'Excel workbook'],
    ['a line that never ends', `{"Account":"${'x'.repeat(70_000)}`, 'line 1 is longer than'],
  ]
  test.each(malformed)('refuses %s, and changes nothing', async (_, content, expected) => {
    const { code, err } = await importText(content)
    expect(err).toContain(expected)
    expect([1, 'BAD_REQUEST']).toContain(code)
    await open()
    expect(await lines()).toEqual([])
  })

  test('refuses a missing file and a folder', async () => {
    expect((await run(['import', join(folder, 'none.csv')])).err).toContain('cannot be opened (ENOENT)')
    expect((await run(['import', folder])).err).toContain('cannot be read (EISDIR)')
  })

  test('refuses a pipe, and says what it expects', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const writer = openFile(pipe, 'w')
    expect((await run(['import', pipe])).err).toContain('the file is a pipe: expected a file')
    await (await writer).close()
  })

  test('reports a line of another tenant than --tenant', async () => {
    const { err } = await importText('Tenant,Account,User_ID,OpenId\nshop,acme,amy,o1\n', '--tenant', 'other')
    expect(err).toContain('line 2: Tenant differs from --tenant')
  })

  test('reports an openid of another appid, and imports it with --any-app-id', async () => {
    const csv = 'AppId,Account,User_ID,OpenId\nwx1,acme,amy,o1\nwx2,acme,bo,o2\n'
    const { code, out, err } = await importText(csv)
    expect([code, await openids()]).toEqual([3, ['amy=o1']])
    expect(err).toContain('line 3 (acme bo): AppId is not WECHAT_APP_ID')
    expect(out).toContain('1 bound (0 replaced), 0 already bound, 0 skipped, 1 refused')
    expect(await importText(csv, '--any-app-id')).toMatchObject({ code: 0 })
    expect(await openids()).toEqual(['amy=o1', 'bo=o2'])
  })

  test('reports the outcomes of a dry run, and changes nothing', async () => {
    await importText(`${head}acme,amy,o1\n`)
    const { code, out, err } = await importText(`${head}acme,amy,o1\nacme,bo,o1\nacme,cy,o3\n`, '--dry-run')
    expect(code).toBe(3)
    expect(out).toContain(
      'Dry run, nothing changed: 3 lines, 1 bound (0 replaced), 1 already bound, 0 skipped, 1 refused.',
    )
    expect(err).toContain('line 3 (acme bo)')
    expect(await openids()).toEqual(['amy=o1'])
  })

  test('finds the lines that contradict much earlier lines, in a dry run and in the import', async () => {
    await importText(`${head}acme,amy,o1\n`)
    const others = Array.from({ length: 600 }, (_, i) => `acme,u${i},p${i}\n`).join('')
    // These lines free o1, give o1 to bo, and take an openid of a line in another batch.
    const csv = `${head}acme,amy,o2\n${others}acme,bo,o1\nacme,cy,p3\nacme,u4,q4\nacme,u4,q4\n`
    const summary = '605 lines, 604 bound (3 replaced), 1 already bound, 0 skipped, 0 refused.'
    expect((await importText(csv, '--conflict', 'replace', '--dry-run')).out).toContain(`nothing changed: ${summary}`)
    expect(await openids()).toEqual(['amy=o1'])
    expect((await importText(csv, '--conflict', 'replace')).out).toContain(`Imported: ${summary}`)
  })

  const conflicting = `${head}acme,amy,o9\nacme,bo,o1\nacme,cy,o3\nacme,cy,o3\nacme,cy,o4\n`
  const conflicts: [string, number, string, string[]][] = [
    ['reject', 3, '1 bound (0 replaced), 1 already bound, 0 skipped, 3 refused', ['amy=o1', 'cy=o3']],
    ['skip', 0, '1 bound (0 replaced), 1 already bound, 3 skipped, 0 refused', ['amy=o1', 'cy=o3']],
    ['replace', 0, '4 bound (2 replaced), 1 already bound, 0 skipped, 0 refused', ['amy=o9', 'bo=o1', 'cy=o4']],
  ]
  for (const engine of ['SQLite', 'PostgreSQL']) {
    test.each(conflicts)(
      `applies --conflict %s on ${engine}, also to duplicates in the file`,
      async (conflict, code, summary, result) => {
        if (engine === 'PostgreSQL') env.DATABASE_URL = await newMigratedDatabase()
        await importText(`${head}acme,amy,o1\n`)
        const imported = await importText(conflicting, '--conflict', conflict)
        expect([imported.code, imported.out]).toEqual([code, expect.stringContaining(summary)])
        expect((await openids()).sort()).toEqual(result)
        const reported = [...imported.err.matchAll(/^line (\d+)/gm)].map(([, number]) => number)
        expect(reported).toEqual(conflict === 'reject' ? ['2', '3', '6'] : [])
      },
    )
  }

  test('uses the setting CONFLICT by default', async () => {
    env.CONFLICT = 'allow'
    expect(await importText(`${head}acme,amy,o1\nacme,bo,o1\n`)).toMatchObject({ code: 0 })
    expect(await openids()).toEqual(['amy=o1', 'bo=o1'])
    env.CONFLICT = 'replace'
    await importText(`${head}acme,cy,o1\n`)
    expect(await openids()).toEqual(['cy=o1'])
    const store = await open()
    expect((await store.userRecord(bo))?.history.at(-1)).toMatchObject({ type: 'unbound', reason: 'replaced' })
  })

  test('changes nothing when it is repeated', async () => {
    const csv = head + Array.from({ length: 600 }, (_, i) => `acme,u${i},o${i}\n`).join('')
    expect((await importText(csv)).out).toContain('600 bound')
    const before = (await run(['export'])).out
    expect((await importText(csv)).out).toContain('0 bound (0 replaced), 600 already bound')
    expect((await run(['export'])).out).toBe(before)
  })
})

describe('bindings list', () => {
  beforeEach(async () => {
    const csv = `Account,User_ID,OpenId,UnionId,BoundAt,Label
acme,amy,oAmy,uAmy,2026-01-01,甲乙丙丁
acme,张三,oZhang,,2026-01-02T00:00:00Z,"=HYPERLINK(""x"")"
beta,"+86 1,""2""",oBeta,,1767398400,
`
    await importText(csv)
  })

  test('aligns columns with Chinese text, and fits the width of the terminal', async () => {
    const wide = (await run(['list'])).out.trimEnd().split('\n')
    expect(wide).toHaveLength(4)
    const columnOf = (line: string, text: string) => stringWidth(line.slice(0, line.indexOf(text)))
    expect(new Set([columnOf(wide[1]!, 'oAmy'), columnOf(wide[2]!, 'oZhang'), columnOf(wide[3]!, 'oBeta')]).size).toBe(
      1,
    )
    const narrow = await run(['list'], { columns: 40 })
    for (const line of narrow.out.trimEnd().split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(40)
    expect(narrow.out).toContain('oZhang')
    expect(narrow.err).toContain('Hidden columns:')
  })

  test('shows control characters of ids instead of sending them to the terminal', async () => {
    await importText('{"Account":"acme","User_ID":"\u202Eevil","OpenId":"o9"}')
    expect((await run(['list'])).out).toContain('\\u{202e}evil')
  })

  test('filters by account, openid, unionid and time', async () => {
    const users = async (...filter: string[]) =>
      (await run(['list', '--json', ...filter])).out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).User_ID)
    expect(await users('--account', 'beta')).toEqual(['+86 1,"2"'])
    expect(await users('--openid', 'oZhang')).toEqual(['张三'])
    expect(await users('--unionid', 'uAmy')).toEqual(['amy'])
    expect(await users('--since', '2026-01-02', '--until', '2026-01-03')).toEqual(['张三'])
    expect(await users('--since', '1767398400')).toEqual(['+86 1,"2"'])
    expect(await users('--tenant', 'other')).toEqual([])
  })

  test('writes CSV by RFC 4180 without formulas, and import reads this CSV back unchanged', async () => {
    const { out } = await run(['list', '--csv'])
    expect(out).toBe(
      [
        'Tenant,Account,User_ID,OpenId,UnionId,AppId,IsSubscribed,BoundAt,Label',
        'default,acme,amy,oAmy,uAmy,wx1,true,1767225600,甲乙丙丁',
        `default,acme,张三,oZhang,,wx1,true,1767312000,"'=HYPERLINK(""x"")"`,
        `default,beta,"'+86 1,""2""",oBeta,,wx1,true,1767398400,`,
        '',
      ].join('\r\n'),
    )
    expect((await importText(out)).out).toContain('3 already bound')
    await importText('{"Account":"；;=1","User_ID":"＝1+1","OpenId":"o4","Label":"a;=1"}')
    const defused = (await run(['list', '--csv', '--openid', 'o4'])).out
    expect(defused).toContain(`default,"；;=1",'＝1+1,o4,,wx1,true,${NOW / 1000},"a;=1"`)
    expect((await importText(defused)).out).toContain('1 already bound')
  })

  test.each([
    [['list', '--since', '2026-02-30']],
    [['list', '--since', '1767225600000']],
    [['list', '--since', '20260131']],
    [['list', '--until', '2026']],
    [['list', '--since', '2026-01-02', '--until', '2026-01-01']],
    [['list', '--json', '--csv']],
    [['list', 'acme']],
    [['show', 'acme']],
    [['import']],
    [['import', 'x', '--conflict', 'allow']],
    [['move-openids']],
    [['move-openids', '--from', 'wx1']],
    [['move-openids', '--from', 'gh_0123456789ab']],
    [['frobnicate']],
    [[]],
  ])('refuses %j', async (args) => {
    expect((await run(args)).code).toBe('BAD_REQUEST')
  })

  test.each([
    [['list']],
    [['unbind', 'acme', 'amy', '--yes']],
    [['erase', 'acme', 'amy', '--yes']],
    [['move-openids', '--from', 'wxold']],
  ])('%j refuses a missing store, and creates none', async (args) => {
    env.DATABASE_URL = `sqlite:${join(folder, 'none', 'bind.db')}`
    expect((await run(args)).err).toContain('there is no store')
    expect(readdirSync(folder)).not.toContain('none')
  })
})

test('bindings list repeats the head line where a later page hides other columns', async () => {
  const users = Array.from({ length: 510 }, (_, i) => `acme,u${i},${i < 505 ? 'o' : 'o'.repeat(60)}${i}\n`)
  await importText(head + users.join(''))
  const { out, err } = await run(['list'], { columns: 100 })
  const heads = out.split('\n').filter((line) => line.includes('User_ID'))
  expect(heads.map((line) => line.includes('AppId'))).toEqual([true, false])
  expect(err).toContain('AppId')
})

describe('bindings export', () => {
  test('writes a file that only its owner may read, completely or not at all', async () => {
    await importText(`${head}acme,amy,o1\n`)
    const file = join(folder, 'out.ndjson')
    writeFileSync(file, 'old')
    expect(await run(['export', file])).toMatchObject({ code: 0, out: '' })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ User_ID: 'amy' })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
    expect((await run(['export', join(folder, 'none', 'out')])).err).toContain('cannot be written (ENOENT)')
  })
})

describe('bindings show, unbind and erase', () => {
  beforeEach(() => importText(`${head}acme,amy,o1\n`))

  test('shows a user with the name that the log uses, in text and JSON', async () => {
    const { out } = await run(['show', 'acme', 'amy'])
    const { BindUser, ...record } = JSON.parse((await run(['show', 'acme', 'amy', '--json'])).out)
    expect(out).toContain(`Bind-User   ${BindUser}\n`)
    expect(out).toMatch(/^OpenId {6}o1$/m)
    expect(out).toMatch(/bound {2}import {2}1/)
    expect(record).toMatchObject({
      User_ID: 'amy',
      Version: 1,
      Binding: { OpenId: 'o1' },
      History: [{ Reason: 'import' }],
    })
    expect(await run(['show', 'acme', 'nobody'])).toMatchObject({ code: 1, out: '' })
  })

  test('unbinds after a question, or with --yes', async () => {
    expect((await run(['unbind', 'acme', 'amy'])).err).toContain('add --yes')
    expect(await run(['unbind', 'acme', 'amy'], { answer: false })).toMatchObject({ code: 1, out: '' })
    expect(await openids()).toEqual(['amy=o1'])
    expect(await run(['unbind', 'acme', 'amy'], { answer: true })).toMatchObject({ code: 0 })
    const store = await open()
    expect((await store.userRecord(amy))?.history.at(-1)).toMatchObject({ type: 'unbound', reason: 'operator' })
    expect((await run(['unbind', 'acme', 'amy', '--yes'])).out).toContain('was not bound')
    expect((await run(['unbind', 'acme', 'nobody', '--yes'])).code).toBe('NOT_BOUND')
  })

  test('erases a user, and accepts an unknown user', async () => {
    expect(await run(['erase', 'acme', 'amy', '--yes'])).toMatchObject({ code: 0 })
    const unknown = { code: 0, out: expect.stringContaining('Nothing to erase: the store has no user acme nobody') }
    expect(await run(['erase', 'acme', 'nobody', '--yes'])).toMatchObject(unknown)
    expect(await openids()).toEqual([])
    const store = await open()
    expect((await store.userRecord(amy))?.history).toMatchObject([{ reason: 'erased' }])
    await store.purgeErased(NOW)
    expect(await store.userRecord(amy)).toBeUndefined()
  })

  test('asks only for the settings that a command uses', async () => {
    env = { DATABASE_URL: env.DATABASE_URL! }
    expect(await run(['list'])).toMatchObject({ code: 0 })
    expect((await run(['show', 'acme', 'amy'])).out).toContain('set WECHAT_APP_SECRET')
    const { code, err } = await run(['unbind', 'acme', 'amy', '--yes'])
    expect([code, err]).toEqual(['BAD_CONFIG', expect.stringContaining('WECHAT_APP_SECRET')])
  })
})

describe('bindings move-openids', () => {
  const DAY = 86_400_000
  const old = { appId: 'wxold', originalId: 'gh_0123456789ab' }

  function migrated(confirmedAt: number, people = ['amy', 'bo']) {
    const simulator = createSimulator({
      people,
      migration: { ...old, confirmedAt },
      clock: () => NOW,
      account: { appId: 'wx1', appSecret: 's' },
    })
    const before = createSimulator({ people, account: { appId: old.appId } })
    const fetch = async (url: string, init?: RequestInit) =>
      simulator.app.request(url.replace('http://wechat.test', ''), init)
    env.WECHAT_API_BASE = 'http://wechat.test'
    const move = async (...options: string[]): Promise<Run> => {
      const { terminal, written } = createTestTerminal()
      const args = ['move-openids', '--from', old.appId, ...options]
      const code = await runBindings(args, { env, terminal, clock: () => NOW, fetch }).catch((error) => {
        written.err += error.message
        return error.code
      })
      return { code, ...written }
    }
    const calls = () => simulator.wire.since(0).filter(({ title }) => title === '/cgi-bin/changeopenid')
    return {
      move,
      calls,
      oldOpenid: (person: string) => before.phone(person).openid,
      newOpenid: (person: string) => simulator.phone(person).openid,
    }
  }

  const bindOld = (...rows: string[]) =>
    importText(
      `AppId,Account,User_ID,OpenId\n${rows.map((row) => `${old.appId},acme,${row}\n`).join('')}`,
      '--any-app-id',
    )

  test('stores the new openids, with an event for each, and reports the openids that WeChat refuses', async () => {
    const { move, oldOpenid, newOpenid } = migrated(NOW - DAY)
    await bindOld(`amy,${oldOpenid('amy')}`, 'stranger,oNotOfTheAccount')
    expect((await move('--dry-run')).out).toContain('Dry run, nothing changed: 1 moved, 1 refused')
    expect(await openids()).toContain(`amy=${oldOpenid('amy')}`)
    const { code, out, err } = await move()
    expect([code, out]).toEqual([3, expect.stringContaining('Moved: 1 moved, 1 refused by WeChat')])
    expect(err).toContain(
      'default acme stranger: WeChat returned no new openid: the user did not follow the old account',
    )
    expect(err).toContain('ori_openid error')
    expect(await openids()).toEqual([`amy=${newOpenid('amy')}`, 'stranger=oNotOfTheAccount'])
    const store = await open()
    expect((await store.userRecord(amy))?.history.at(-1)).toMatchObject({
      type: 'updated',
      reason: 'openid',
      version: 2,
    })
    expect((await move()).out).toContain('Moved: 0 moved, 1 refused')
  })

  test('requests 100 openids per call, and an openid of several users only once', async () => {
    const people = Array.from({ length: 130 }, (_, i) => `p${i}`)
    const { move, oldOpenid, calls } = migrated(NOW - DAY, people)
    env.CONFLICT = 'allow'
    await bindOld(...people.map((person) => `${person},${oldOpenid(person)}`), `twin,${oldOpenid('p129')}`)
    expect(await move()).toMatchObject({ code: 0, out: expect.stringContaining('131 moved') })
    expect(calls().map(({ raw }) => JSON.parse(raw).openid_list.length)).toEqual([100, 30])
  })

  test('does not change a user whose new openid is bound to another user', async () => {
    const { move, oldOpenid, newOpenid } = migrated(NOW - DAY)
    await bindOld(`amy,${oldOpenid('amy')}`)
    await importText(`${head}acme,bo,${newOpenid('amy')}\n`)
    const { code, err } = await move()
    expect([code, err]).toEqual([3, expect.stringContaining('the new openid is already bound to another user')])
    expect(await openids()).toEqual([`amy=${oldOpenid('amy')}`, `bo=${newOpenid('amy')}`])
  })

  test.each([
    ['before the confirmation of the migration', 1],
    ['15 days after the confirmation', -15 * DAY],
  ])('names the fix and changes nothing %s', async (_, offset) => {
    const { move, oldOpenid } = migrated(NOW + offset)
    await bindOld(`amy,${oldOpenid('amy')}`)
    const { code, err } = await move()
    expect([code, err]).toEqual(['WECHAT_FORBIDDEN', expect.stringContaining('for 15 days')])
    expect(await openids()).toEqual([`amy=${oldOpenid('amy')}`])
  })
})
