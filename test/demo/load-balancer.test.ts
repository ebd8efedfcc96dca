import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createLoadBalancer } from '../../demo/load-balancer.ts'

describe('createLoadBalancer', () => {
  test('sends each request to the next instance, and names the instance in a header', async () => {
    const instance = (name: string) => new Hono().all('*', (c) => c.text(`${name} ${c.req.method} ${c.req.path}`, 201))
    const app = createLoadBalancer([instance('a'), instance('b')])
    const answers = [await app.request('/x'), await app.request('/y', { method: 'POST' }), await app.request('/z')]
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['a GET /x', 'b POST /y', 'a GET /z'])
    expect(answers.map(({ status, headers }) => [status, headers.get('X-Instance')])).toEqual([
      [201, '1'],
      [201, '2'],
      [201, '1'],
    ])
  })

  test('forwards a response without a body', async () => {
    const app = createLoadBalancer([new Hono().all('*', (c) => c.body(null, 304))])
    expect((await app.request('/x')).status).toBe(304)
  })
})
