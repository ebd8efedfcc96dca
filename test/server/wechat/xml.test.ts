import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseXml } from '../../../server/wechat/xml.ts'

describe('parseXml', () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,12}$/)
  const space = fc.constantFrom('', '\n', '\r\n  ')
  const written = fc.oneof(
    fc
      .string({ unit: 'binary' })
      .map((text) => `<![CDATA[${text.replaceAll(']]>', '').replace(/\p{Cc}|\p{Cs}/gu, '')}]]>`),
    fc.stringMatching(/^[\w.:-]{0,20}$/),
    fc.constantFrom(
      'a > b',
      '&lt;',
      '&amp;',
      '<![CDATA[a]]><![CDATA[b]]>',
      ' 1 ',
      '<b>x</b>',
      ']]>',
      '<![CDATA[<a>]]>',
      '',
      '<',
    ),
  )
  const xml = fc
    .array(fc.tuple(space, name, written), { maxLength: 8 })
    .map((children) => children.map(([gap, tag, value]) => `${gap}<${tag}>${value}</${tag}>`).join(''))

  test('returns the same result from the fast path as from the full parser', () => {
    fc.assert(
      fc.property(xml, space, (children, gap) => {
        // The fast path cannot read a nested element, so the full parser reads the text and leaves out the element.
        const other = '<Zz><a>1</a></Zz>'
        fc.pre(!/<Zz>/.test(children))
        expect(parseXml(`<xml>${children}${gap}</xml>`)).toEqual(parseXml(`<xml>${children}${other}${gap}</xml>`))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['<xml><a>1</a>'],
    ['<xml><a>1</b></xml>'],
    ['<xml><a><![CDATA[1]]</a></xml>'],
    ['<xml><a>1</a>x<!-- --></xml>'],
    ['<yml><a>1</a></yml>'],
  ])('refuses %s', (text) => {
    expect(parseXml(text)).toBeUndefined()
  })

  test('leaves out an element that occurs twice', () => {
    expect(parseXml('<xml><a>1</a><b>2</b><a>3</a></xml>')).toEqual({ b: '2' })
  })
})
