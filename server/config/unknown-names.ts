/** Finds misspelled settings. Without this check a misspelled setting would have no effect and cause no error. Pure. */
import type { Bilingual } from '../errors.ts'
import type { EnvReader } from './env-reader.ts'

/** Every variable with these prefixes is meant for this server. */
const OURS = /^(?:BIND|WEBHOOK|REPLY|QR|CONSOLE)_/

/** Other programs for the same Official Account may use this prefix. */
const SHARED = /^WECHAT_/

// Kubernetes sets these variables for each Service, for example BIND_SERVICE_HOST for a Service named "bind".
const KUBERNETES = /_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/
const SERVICE_URL = /^(?:tcp|udp|sctp):\/\//

/** Call this function after all settings were read. Adds a fault for each misspelled name. Returns the names to warn of. */
export function checkNames(reader: EnvReader): string[] {
  const known = [...reader.knownNames()]
  const unset = known.filter((name) => !reader.isSet(name))
  const warned: string[] = []
  for (const [name, value = ''] of reader.unknownNames()) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name) || KUBERNETES.test(name) || SERVICE_URL.test(value)) continue
    const [meant] = unset.filter((each) => isNear(name, each))
    if (meant !== undefined) reader.addFault(name, didYouMean(meant))
    else if (value.trim() === '') continue
    else if (OURS.test(name)) reader.addFault(name, notASetting(name, known))
    else if (SHARED.test(name)) warned.push(name)
  }
  return warned
}

/** If the known name is set, the variable is accepted. So a variable of another program can keep its name. */
const didYouMean = (meant: string): Bilingual => ({
  en: `is not a setting; did you mean ${meant}? Correct the name. If the variable belongs to another program, set ${meant}, too`,
  zh: `不是配置项，是否应为 ${meant}？请改正名称。如该变量属于其他程序，请同时设置 ${meant}`,
})

function notASetting(name: string, known: string[]): Bilingual {
  const [prefix = ''] = OURS.exec(name) ?? []
  const meant = known.find((each) => isNear(name, each))
  const others = known.filter((each) => each.startsWith(prefix)).join(', ')
  return {
    en: `is not a setting${meant ? ` (did you mean ${meant}?)` : ''}: remove it${others && `, or use one of ${others}`}`,
    zh: `不是配置项${meant ? `（是否应为 ${meant}？）` : ''}：请删除${others && `，或使用 ${others} 之一`}`,
  }
}

/**
 * Whether a name differs from a known name by at most two letters. Short names may be similar without a mistake (HOME and HOST,
 * APP_PORT and OPS_PORT). So a known name of up to four letters allows one difference. A known name of five to eight letters
 * allows two only if both names begin with the same letter.
 */
function isNear(name: string, known: string): boolean {
  const distance = distanceOf(name, known)
  if (distance < 2) return true
  return distance === 2 && (known.length > 8 || (known.length > 4 && name[0] === known[0]))
}

/** The number of letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
function distanceOf(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, j) => j)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = above[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row[j] = Math.min(
        above[j]! + 1,
        row[j - 1]! + 1,
        replaced,
        isSwap ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = row
  }
  return above[other.length]!
}
