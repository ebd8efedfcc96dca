/** The routes of the console. They are in the fragment, so that the page works under any path and the server sees no route. */
import type { Range, UserName } from '../server/console/wire.ts'

export const ranges = ['24h', '7d', '30d'] as const satisfies Range[]

/** `tenant`: undefined for all tenants. */
export type Route =
  | { name: 'overview'; range: Range; tenant?: string }
  | { name: 'users' }
  | { name: 'user'; user: UserName }
  | { name: 'webhooks' | 'doctor' | 'live' }

export type PageName = Exclude<Route['name'], 'user'>

/** An unknown fragment is the overview. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [name, ...ids] = path.split('/').map(decode)
  const [tenant, account, userId] = ids
  if (name === 'users' && tenant !== undefined && account !== undefined && userId !== undefined) {
    return { name: 'user', user: { tenant, account, userId } }
  }
  if (name === 'users' || name === 'webhooks' || name === 'doctor' || name === 'live') return { name }
  const chosen = new URLSearchParams(query)
  const range = ranges.find((one) => one === chosen.get('range')) ?? '24h'
  const only = chosen.get('tenant')
  return { name: 'overview', range, ...(only ? { tenant: only } : {}) }
}

export function toHash(route: Route): string {
  if (route.name === 'user') {
    const { tenant, account, userId } = route.user
    return `#/users/${[tenant, account, userId].map(encodeURIComponent).join('/')}`
  }
  if (route.name !== 'overview') return `#/${route.name}`
  const query = new URLSearchParams()
  if (route.range !== '24h') query.set('range', route.range)
  if (route.tenant !== undefined) query.set('tenant', route.tenant)
  return query.size > 0 ? `#/overview?${query}` : '#/overview'
}

/** The entry of the navigation to which a route belongs. */
export const pageOf = ({ name }: Route): PageName => (name === 'user' ? 'users' : name)

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
