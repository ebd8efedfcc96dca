import { describe, expect, test } from 'vitest'
import { parseTag, toCss, toHtml, toScript, toTagSearch, withEntry } from '../../../demo/page/playground-tag.ts'

const search =
  '?lang=en&a.size=small&a.manual=&s.title=A+%22b%22+%3C&c.--wechat-bind-radius=4px&p.tile=&w.scan=Look&j.getToken='

describe('parseTag', () => {
  test('parses the query from toTagSearch, and toTagSearch keeps other parameters', () => {
    const tag = parseTag(search)
    expect(tag.attributes).toEqual({ size: 'small', manual: '' })
    expect(tag.slots).toEqual({ title: 'A "b" <' })
    expect(toTagSearch(tag, '?lang=en&a.theme=dark')).toBe(search)
  })
})

describe('withEntry', () => {
  test('sets one entry, or removes the entry', () => {
    const tag = withEntry(parseTag(search), 'attributes', 'size', undefined)
    expect(tag.attributes).toEqual({ manual: '' })
    expect(withEntry(tag, 'attributes', 'theme', 'dark').attributes).toEqual({ manual: '', theme: 'dark' })
  })
})

describe('the code for the page', () => {
  test('for a tag without settings, contains the tag and the lines that load the element', () => {
    const tag = parseTag('')
    expect(toHtml(tag)).toBe(`<link rel="preconnect" href="https://bind.example" crossorigin>
<link rel="modulepreload" href="https://bind.example/wechat-bind.js">
<script type="module" src="https://bind.example/wechat-bind.js"></script>
<wechat-bind server="https://bind.example" token-url="/my/wechat-token"></wechat-bind>`)
    expect([toCss(tag), toScript(tag)]).toEqual(['', ''])
  })

  test('contains every setting, and escapes markup in a setting', () => {
    const tag = parseTag(search)
    expect(toHtml(tag)).toContain(`<wechat-bind server="https://bind.example" size="small" manual>
  <span slot="title">A &quot;b&quot; &lt;</span>
</wechat-bind>`)
    expect(toCss(tag)).toMatch(/^wechat-bind \{\n {2}--wechat-bind-radius: 4px;\n\}\nwechat-bind::part\(tile\) \{/)
    expect(toScript(tag)).toMatch(/card\.getToken = [\s\S]*card\.messages = \{\s+"scan": "Look"/)
  })
})
