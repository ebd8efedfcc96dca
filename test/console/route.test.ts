import { describe, expect, test } from 'vitest'
import { pageOf, parseRoute, type Route, toHash } from '../../console/route.ts'

describe('parseRoute', () => {
  const routes: [string, Route][] = [
    ['#/overview', { name: 'overview', range: '24h' }],
    ['#/overview?range=7d&tenant=shop', { name: 'overview', range: '7d', tenant: 'shop' }],
    ['#/users', { name: 'users' }],
    ['#/users/shop/a%2Fb/%E5%BC%A0%3F', { name: 'user', user: { tenant: 'shop', account: 'a/b', userId: '张?' } }],
    ['#/webhooks', { name: 'webhooks' }],
    ['#/doctor', { name: 'doctor' }],
    ['#/live', { name: 'live' }],
  ]

  test.each(routes)('reads what toHash writes: %s', (hash, route) => {
    expect(parseRoute(hash)).toEqual(route)
    expect(toHash(route)).toBe(hash)
  })

  test.each(['', '#', '#/', '#/nothing', '#/overview?range=1y'])('shows the overview for %j', (hash) => {
    expect(parseRoute(hash)).toEqual({ name: 'overview', range: '24h' })
  })

  test.each(['#/users/shop/acme', '#/users/%', '#/users//'])('shows the search for the incomplete user %s', (hash) => {
    expect(parseRoute(hash).name).toBe('users')
  })
})

describe('pageOf', () => {
  test('counts the page of one user as the page of users', () => {
    expect(pageOf(parseRoute('#/users/shop/acme/u1'))).toBe('users')
  })
})
