/**
 * The fastest possible server with Hono on node-server (the floor). It reads the body and answers with a constant text
 * that is as long as an encrypted reply.
 */
import { Hono } from 'hono'
import { startListening } from '../../../server/http/listen.ts'
import { reportUsage } from './report-usage.ts'

const reply = 'x'.repeat(600)
const app = new Hono().post('*', async (c) => {
  await c.req.text()
  return c.body(reply, 200, { 'Content-Type': 'application/xml; charset=utf-8' })
})
reportUsage(await startListening(app, '127.0.0.1', 0))
