/** Reads single settings and collects what is wrong with them, so that one start shows every fault. */

export type Words = { en: string; zh: string }

export type Settings = ReturnType<typeof createEnvReader>

/** A fault tells the setting's name and rule, never its value: it may be a secret. */
export function createEnvReader(env: Record<string, string | undefined>) {
  const faults: string[] = []
  const add = (name: string, { en, zh }: Words) => void faults.push(`${name}: ${en}\n    ${zh}`)
  const value = (name: string) => env[name]?.trim() || undefined

  function matching(name: string, pattern: RegExp, fallback: string | undefined, rule: Words): string {
    const text = value(name) ?? fallback
    if (text !== undefined && pattern.test(text)) return text
    add(name, text === undefined ? missing(rule) : rule)
    return ''
  }

  return {
    faults,
    add,
    matching,
    /** What stands behind `prefix` in the names that are set. */
    namesAfter: (prefix: string) =>
      Object.keys(env).flatMap((name) => (name.startsWith(prefix) && value(name) ? [name.slice(prefix.length)] : [])),

    optional: (name: string, pattern: RegExp, rule: Words) =>
      value(name) === undefined ? undefined : matching(name, pattern, undefined, rule),

    /** `parse` throws a TypeError whose message is `English | 中文`. */
    parsed<T>(name: string, parse: (text: string) => T, otherwise: T): T {
      const text = value(name)
      try {
        if (text !== undefined) return parse(text)
        parse('')
      } catch (error) {
        const [en = '', zh = ''] = (error as TypeError).message.split(' | ')
        add(name, text === undefined ? missing({ en, zh }) : { en, zh })
      }
      return otherwise
    },

    integer(name: string, least: number, most: number, fallback: number): number {
      const text = value(name)
      const number = text === undefined ? fallback : Number(text)
      if (Number.isInteger(number) && number >= least && number <= most) return number
      add(name, {
        en: `must be a whole number from ${least} to ${most}; leave it out for ${fallback}`,
        zh: `须为 ${least} 至 ${most} 的整数；不填则为 ${fallback}`,
      })
      return fallback
    },

    oneOf<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
      const text = value(name) ?? fallback
      const choice = choices.find((each) => each === text)
      if (choice !== undefined) return choice
      const list = choices.join(', ')
      add(name, {
        en: `must be one of ${list}; leave it out for ${fallback}`,
        zh: `须为 ${list} 之一；不填则为 ${fallback}`,
      })
      return fallback
    },

    url(name: string, fallback: string | undefined): string | undefined {
      const text = value(name) ?? fallback
      if (text === undefined) return undefined
      const url = URL.parse(text)
      if (url && /^https?:$/.test(url.protocol)) return text
      add(name, { en: 'must be a URL that begins with http:// or https://', zh: '须为 http:// 或 https:// 开头的网址' })
      return undefined
    },

    origins(name: string): string[] {
      const list = (value(name) ?? '').split(',').map((text) => text.trim().replace(/\/$/, ''))
      const origins = list.filter((text) => text !== '')
      if (origins.some((text) => URL.parse(text)?.origin !== text)) {
        add(name, {
          en: 'must be origins separated by commas, for example https://www.example.com (no path)',
          zh: '须为以逗号分隔的来源，例如 https://www.example.com（不带路径）',
        })
      }
      return origins
    },
  }
}

const missing = ({ en, zh }: Words): Words => ({ en: `is missing: ${en}`, zh: `缺失：${zh}` })
