import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createOperators } from '../../../server/keys/operators.ts'
import { parseOperatorsFile, watchOperatorsFile } from '../../../server/keys/operators-file.ts'
import { createTestLog } from '../../support/test-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-tokens-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('the file of operators is read again when it changes, and a faulty file changes nothing and shows no secret', () => {
  const file = join(folder, 'tokens')
  writeFileSync(file, '# people, and since when\nalice:a-secret-01234567890\n\nbob:b-secret-01234567890:operator\n')
  const operators = createOperators(parseOperatorsFile(file))
  const log = createTestLog()
  const { check, stop } = watchOperatorsFile(file, operators.replace, log)
  const roleOf = (secret: string) => operators.find(secret)?.role
  expect([roleOf('a-secret-01234567890'), roleOf('b-secret-01234567890')]).toEqual(['viewer', 'operator'])
  writeFileSync(file, 'alice:a-secret-01234567890:operator\n')
  check()
  expect([roleOf('a-secret-01234567890'), roleOf('b-secret-01234567890')]).toEqual(['operator', undefined])
  writeFileSync(file, 'alice:too-short-secret')
  check()
  expect(roleOf('a-secret-01234567890')).toBe('operator')
  rmSync(file)
  check()
  expect(roleOf('a-secret-01234567890')).toBe('operator')
  stop()
  const text = log.lines.join('\n')
  expect(text).toContain('CONSOLE_TOKENS_FILE was read again')
  expect(text).toContain('has a secret of 16 characters')
  expect(text).toContain('ENOENT')
  expect(text).not.toMatch(/a-secret|too-short/)
})
