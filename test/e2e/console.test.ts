/** Tests what operators do in the built page of the console, with a real server and a simulated WeChat. */
import type { BrowserContext, Page } from 'playwright'
import { afterEach, describe, expect, test } from 'vitest'
import { createConsole } from '../../server/console/console.ts'
import { type Listening, startListening, stopListening } from '../../server/http/listen.ts'
import { sharedBrowser } from '../support/browser.ts'
import { consoleErrorsOf } from '../support/browser-fixture.ts'
import { CONSOLE_TOKENS, TOKENS } from '../support/console-client.ts'
import { openTestServer, type TestServer } from '../support/test-server.ts'

const browser = await sharedBrowser()
let context: BrowserContext
let errors: string[]
let testServer: TestServer
let listening: Listening
let page: Page
let receiverStatus = 200

afterEach(async () => {
  await context.close()
  testServer.stopWaiting()
  await stopListening(listening.server)
  await testServer.close()
})

/** Starts the server. `prepare` creates the state that the operator finds. */
async function open(prepare: () => Promise<void>): Promise<void> {
  receiverStatus = 200
  testServer = await openTestServer(
    { CONSOLE_TOKENS, WEBHOOK_URL: 'http://receiver.test/hook', WEBHOOK_SECRET: `whsec_${'a'.repeat(43)}=` },
    { neighbour: async () => new Response(null, { status: receiverStatus }) },
  )
  await prepare()
  listening = await startListening(createConsole(testServer.deps), '127.0.0.1', 0)
  context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce' })
  errors = consoleErrorsOf(context)
  page = await context.newPage()
  page.setDefaultTimeout(10_000)
  await page.clock.setFixedTime(testServer.time.clock())
}

async function signIn(hash: string, token = TOKENS.otto): Promise<void> {
  await page.goto(`${listening.url}/${hash}`)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function bind(person: string, user = 'u1'): Promise<void> {
  const url = await testServer.ticketUrl(user)
  testServer.time.advance(7_000)
  await testServer.phone(person).scan(url)
  await testServer.phone(person).follow()
}

const button = (name: string) => page.getByRole('button', { name, exact: true })
const confirm = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true })
const amy = { tenant: 'default', account: 'acme', userId: 'u1' }
const bindingOf = async () => (await testServer.deps.store.user(amy)).binding

describe('an operator', () => {
  test('finds a user by openid and unbinds the user, and the strict content policy causes no error', async () => {
    await open(() => bind('amy'))
    const { openid } = testServer.phone('amy')
    await signIn('#/users')
    await page.getByRole('searchbox').fill(openid)
    await button('Search').click()
    await page.getByRole('link', { name: 'u1', exact: true }).click()
    await button('Show openid').click()
    await confirm('Show openid').click()
    await page.getByText(openid).waitFor()
    await button('Unbind').click()
    await confirm('Unbind').click()
    await page.getByText('u1 is unbound.').waitFor()
    await page.getByRole('listitem').filter({ hasText: 'by an operator' }).filter({ hasText: 'by otto' }).waitFor()
    expect(await bindingOf()).toBeNull()
    // The console displays a change by the user at once.
    await bind('bo')
    await page.getByText('Bound', { exact: true }).first().waitFor()
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.locator('canvas').first().waitFor()
    expect(errors).toEqual([])
    expect(page.url()).not.toContain(openid)
  })

  test('sees why a webhook failed, and replays it', async () => {
    await open(async () => {
      receiverStatus = 401
      await bind('amy')
      const { outbox } = testServer.deps.store
      const tried = async () => {
        testServer.time.advance(1_000)
        return (await outbox.list('waiting', 1)).find(({ failure }) => failure?.status === 401)
      }
      await expect.poll(tried).toBeDefined()
      // Marks the notice as failed, as the webhook sender does after three days.
      const notice = await tried()
      await outbox.giveUp(notice!.id, notice!.failure!)
    })
    await signIn('#/webhooks')
    const notice = page.getByRole('listitem').filter({ hasText: 'u1' })
    await notice.getByText('HTTP 401').waitFor()
    await notice.getByText('signature').waitFor()
    receiverStatus = 204
    await notice.getByRole('button', { name: 'Replay' }).click()
    await confirm('Replay').click()
    await page.getByText('Notices that are to be sent again: 1.').waitFor()
    const left = async () => {
      testServer.time.advance(1_000)
      const { outbox } = testServer.deps.store
      return [...(await outbox.list('failed', 9)), ...(await outbox.list('waiting', 9))].length
    }
    await expect.poll(left).toBe(0)
  })

  test('reads the doctor’s explanation when WeChat refuses a call', async () => {
    await open(async () => testServer.simulator.faults.fail('/cgi-bin/stable_token', 40125, 9))
    await signIn('#/doctor')
    await button('Run the checks').click()
    const fault = page.getByRole('listitem').filter({ hasText: '40125' })
    await fault.getByText('AppSecret').first().waitFor()
    expect(await fault.getByText('Fault').count()).toBe(1)
  })

  test('erases a user, and the user is unknown afterwards', async () => {
    await open(() => bind('amy'))
    await signIn('#/users/default/acme/u1')
    await button('Erase').click()
    await confirm('Erase').click()
    await page.getByText('u1 is erased.').waitFor()
    expect(await bindingOf()).toBeNull()
    await page.goBack()
    expect(page.url()).not.toContain('u1')
  })
})

test('a viewer sees no openid and no action', async () => {
  await open(() => bind('amy'))
  await signIn('#/users/default/acme/u1', TOKENS.vera)
  await page.getByText('Hidden from viewers').first().waitFor()
  expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
})
