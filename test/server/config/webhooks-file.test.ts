import { describe, expect, test } from 'vitest'
import { parseWebhooksFile } from '../../../server/config/webhooks-file.ts'

const secret = (bytes = 32) => `whsec_${Buffer.alloc(bytes, 9).toString('base64')}`
const entry = (more: object = {}) => ({ name: 'crm', url: 'https://crm.example/hook', secrets: [secret()], ...more })
const parse = (entries: unknown) => parseWebhooksFile(JSON.stringify(entries))

describe('parseWebhooksFile', () => {
  test('reads receivers, with and without tenant and types', () => {
    const audit = entry({ name: 'audit-2', tenant: 'shop', types: ['binding.unbound', 'binding.updated'] })
    const rotating = entry({ secrets: [secret(24), secret(64)] })
    expect(parse([rotating, audit])).toEqual([rotating, audit])
    expect(parse([])).toEqual([])
  })

  test.each<[string, object, string]>([
    ['a name with a space', { name: 'my crm' }, '[1].name must begin with a letter'],
    ['a name that is a number', { name: '7' }, '[1].name must begin with a letter'],
    ['the name of a setting', { name: 'WEBHOOK_URL_SHOP' }, 'not begin with WEBHOOK_URL'],
    ['another protocol', { url: 'ftp://crm.example' }, '[1].url must be a URL that begins with http:// or https://'],
    ['no secret', { secrets: [] }, '[1].secrets must be 1 to 5 secrets'],
    ['a short secret', { secrets: [secret(23)] }, '24 to 64 bytes in base64'],
    ['a long secret', { secrets: [secret(), secret(65)] }, '24 to 64 bytes in base64'],
    ['a secret without its prefix', { secrets: [secret().slice(6)] }, '24 to 64 bytes in base64'],
    ['an unknown type', { types: ['binding.bounds'] }, '[1].types must list one or more of binding.bound'],
    ['no type', { types: [] }, '[1].types must list one or more of binding.bound'],
    ['an unknown field', { secret: secret() }, '[1] must be a JSON array of objects'],
    ['no URL', { url: undefined }, '[1].url must be a URL'],
  ])('refuses %s, and names entry and field in both languages', (_, more, rule) => {
    const parsing = () => parse([entry({ name: 'first' }), entry(more)])
    expect(parsing).toThrow(rule)
    expect(parsing).toThrow(/ \| .*[\u4e00-\u9fff]/)
  })

  test('refuses two receivers with the same name', () => {
    expect(() => parse([entry(), entry()])).toThrow('has the name "crm" twice')
  })

  test.each(['', 'null', '{}', '{"name":"crm"}', '[1]', '["whsec_abc"]'])('refuses %s', (text) => {
    expect(() => parseWebhooksFile(text)).toThrow(/is not valid JSON|must be a JSON array of objects/)
  })

  test('names the line of a syntax error, and no secret', () => {
    const text = `[\n {"name": "crm", "secrets": ["${secret()}"],}\n]`
    expect(() => parseWebhooksFile(text)).toThrow('is not valid JSON (line 2)')
    expect(() => parseWebhooksFile(text)).toThrow(expect.not.stringContaining('whsec_'))
    for (const more of [{ url: 'x' }, { types: ['x'] }]) {
      expect(() => parse([entry(more)])).toThrow(expect.not.stringContaining(secret()))
    }
  })
})
