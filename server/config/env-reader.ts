/** Reads settings one by one and collects their faults, so that one start reports all of them. */
import type { Bilingual } from '../errors.ts'

export type EnvReader = ReturnType<typeof createEnvReader>

/**
 * A fault names the setting and its rule. It does not contain the value, which may be a secret. Every name that was read counts as
 * a known name, so that a new setting needs no second list.
 */
export function createEnvReader(env: Record<string, string | undefined>) {
  const faults: string[] = []
  const known = new Set<string>()
  const addFault = (name: string, { en, zh }: Bilingual) => void faults.push(`${name}: ${en}\n    ${zh}`)

  function value(name: string): string | undefined {
    const text = env[name]?.trim() || undefined
    const [, inner] = /^(["'])(.*)\1$/s.exec(text ?? '')?.slice(1) ?? []
    if (inner !== undefined && !known.has(name)) addFault(name, quoted)
    known.add(name)
    return inner ?? text
  }

  function matching(name: string, pattern: RegExp, fallback: string | undefined, rule: Bilingual): string {
    const text = value(name) ?? fallback
    if (text !== undefined && pattern.test(text)) return text
    addFault(name, text === undefined ? missing(rule) : rule)
    return ''
  }

  return {
    faults,
    addFault,
    matching,
    /** Returns any text, or undefined if the setting is not set. */
    text: value,
    /** Returns the names of settings that begin with `prefix`, without the prefix. */
    suffixesOf: (prefix: string) =>
      Object.keys(env).flatMap((name) => (name.startsWith(prefix) && value(name) ? [name.slice(prefix.length)] : [])),
    knownNames: (): ReadonlySet<string> => known,
    /** Returns the variables that no setting has read, with their values. */
    unknownNames: () => Object.entries(env).filter(([name, text]) => !known.has(name) && text !== undefined),
    isSet: (name: string) => Boolean(env[name]?.trim()),

    optional: (name: string, pattern: RegExp, rule: Bilingual) =>
      value(name) === undefined ? undefined : matching(name, pattern, undefined, rule),

    /** If `parse` throws, the result is `fallback`. `parse` throws a TypeError with the message `English | 中文`. */
    parsed<T>(name: string, parse: (text: string) => T, fallback: T): T {
      const text = value(name)
      try {
        if (text !== undefined) return parse(text)
        // Parsing an empty text throws an error with the rule of the setting. The fault reports this rule.
        parse('')
      } catch (error) {
        const [en = '', zh = ''] = (error as TypeError).message.split(' | ')
        addFault(name, text === undefined ? missing({ en, zh }) : { en, zh })
      }
      return fallback
    },

    integer(name: string, min: number, max: number, fallback: number): number {
      const text = value(name)
      const number = text === undefined ? fallback : Number(text)
      if (Number.isInteger(number) && number >= min && number <= max) return number
      addFault(name, {
        en: `must be an integer from ${min} to ${max}; the default is ${fallback}`,
        zh: `须为 ${min} 至 ${max} 的整数；默认为 ${fallback}`,
      })
      return fallback
    },

    /** Returns undefined if the setting is not set or has a fault. */
    optionalInteger(name: string, min: number, max: number): number | undefined {
      const text = value(name)
      if (text === undefined) return undefined
      const number = Number(text)
      if (Number.isInteger(number) && number >= min && number <= max) return number
      addFault(name, {
        en: `must be an integer from ${min} to ${max}, or left out`,
        zh: `须为 ${min} 至 ${max} 的整数，或不设置`,
      })
      return undefined
    },

    oneOf<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
      const text = value(name) ?? fallback
      const choice = choices.find((each) => each === text)
      if (choice !== undefined) return choice
      const list = choices.join(', ')
      addFault(name, {
        en: `must be one of ${list}; the default is ${fallback}`,
        zh: `须为 ${list} 之一；默认为 ${fallback}`,
      })
      return fallback
    },

    url(name: string, fallback: string | undefined): string | undefined {
      const text = value(name) ?? fallback
      if (text === undefined) return undefined
      const url = URL.parse(text)
      if (url && /^https?:$/.test(url.protocol)) return text
      addFault(name, {
        en: 'must be a URL that begins with http:// or https://',
        zh: '须为以 http:// 或 https:// 开头的网址',
      })
      return undefined
    },

    origins(name: string): string[] {
      const list = (value(name) ?? '').split(',').map((text) => text.trim().replace(/\/$/, ''))
      const origins = list.filter((text) => text !== '')
      if (origins.some((text) => URL.parse(text)?.origin !== text)) {
        addFault(name, {
          en: 'must be origins separated by commas, for example https://www.example.com (no path)',
          zh: '须为以逗号分隔的来源，例如 https://www.example.com（不带路径）',
        })
      }
      return origins
    },
  }
}

const quoted: Bilingual = {
  en: 'has quotation marks around its value, which would become part of the value (docker --env-file, for example, keeps quotation marks): remove them',
  zh: '的值带有引号，引号会成为值的一部分（例如 docker --env-file 会保留引号）：请去掉引号',
}

const missing = ({ en, zh }: Bilingual): Bilingual => ({ en: `is missing: ${en}`, zh: `缺失：${zh}` })
