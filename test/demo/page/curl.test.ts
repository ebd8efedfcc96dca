import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { toCurl } from '../../../demo/page/curl.ts'
import type { WireEntry } from '../../../demo/simulator/traffic-log.ts'

const entry = (fields: Partial<WireEntry>) => ({ method: 'GET', headers: {}, raw: '', ...fields }) as WireEntry

describe('toCurl', () => {
  test('formats a GET request as a command with only the URL', () => {
    expect(toCurl(entry({ url: 'http://bind.example/?a=1&b=2' }))).toBe("curl 'http://bind.example/?a=1&b=2'")
  })

  test('quotes the request so that a shell passes the request on unchanged', () => {
    const raw = `<xml><Content><![CDATA[it's "绑定" $HOME \`ls\` !! \\n]]></Content>\n</xml>`
    const url = `https://bind.example/wechat/callback?nonce=1&signature=a'b`
    const line = toCurl(entry({ method: 'POST', url, headers: { 'Content-Type': 'text/xml' }, raw }))
    // A real shell parses the command. In place of curl, which may be missing, `printf` prints the arguments.
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1)
    expect(words).toEqual(['curl', '-X', 'POST', url, '-H', 'Content-Type: text/xml', '--data-raw', raw])
  })
})
