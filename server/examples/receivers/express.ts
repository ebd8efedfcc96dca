/**
 * Receives webhooks in an Express server. `express.raw` must come before `express.json`: the signature covers the bytes as
 * received.
 */
import express, { type Express } from 'express'
import { createReceive, type StoreChange } from './receive.ts'

export function receiveInExpress(secret: string, storeChange: StoreChange): Express {
  const receive = createReceive(secret, storeChange)
  return express()
    .post('/webhook', express.raw({ type: '*/*', limit: '64kb' }), async (request, response) => {
      const body = (request.body as Buffer).toString()
      response.sendStatus(await receive(body, request.headers as Record<string, string>))
    })
    .use(express.json())
}
