/** The tasks of operators and viewers in the console, over the fake server. */
import { describe, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { OPENID } from '../support/console-data.ts'
import { loaded, openConsole, says } from '../support/console-fixture.ts'
import { createFakeConsole, TOKEN } from '../support/fake-console.ts'

const button = (name: string) => page.getByRole('button', { name, exact: true })
const link = (name: string) => page.getByRole('link', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const confirm = (name: string) => dialog().getByRole('button', { name, exact: true })
const text = (content: string | RegExp) => page.getByText(content, { exact: false })
const USER = '#/users/shop/acme/u-1042'

describe('signing in', () => {
  const signedOut = () => createFakeConsole({ isSignedIn: false })

  test('needs a valid token, and reports a wrong token', async () => {
    await openConsole({ fake: signedOut() })
    await page.getByLabelText('Token').fill('wrong')
    await button('Sign in').click()
    await says(page.getByRole('alert'), 'This token is not valid.')
    await page.getByLabelText('Token').fill(` ${TOKEN} `)
    await button('Sign in').click()
    await expect.element(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  })

  test('says how long to wait after too many wrong tokens', async () => {
    const { root } = await openConsole({ fake: signedOut() })
    for (let count = 0; count < 6; count++) {
      await page.getByLabelText('Token').fill('wrong')
      await button('Sign in').click()
      await expect.poll(() => root.querySelector<HTMLButtonElement>('.filled')?.disabled).toBe(false)
    }
    await says(page.getByRole('alert'), 'Too many wrong tokens. Try again in 45 sec.')
  })

  test('offers a choice of roles in the demo', async () => {
    await openConsole({ fake: createFakeConsole({ isSignedIn: false, offers: true }), hash: USER })
    await button('Continue as viewer').click()
    await expect.element(text('Hidden from viewers').first()).toBeVisible()
  })

  test('is needed again after the server has ended the session, and then opens the same page', async () => {
    const { fake } = await openConsole({ hash: '#/webhooks' })
    await expect.element(page.getByRole('heading', { name: 'Receivers' })).toBeVisible()
    fake.endSession()
    await link('Doctor').click()
    await says(page.getByRole('status'), 'Your session has ended. Sign in again.')
    await page.getByLabelText('Token').fill(TOKEN)
    await button('Sign in').click()
    await expect.element(page.getByRole('heading', { name: 'Doctor' })).toBeVisible()
  })

  test('does not show the search of the previous session after signing out', async () => {
    const { fake, root } = await openConsole({ hash: '#/users' })
    await page.getByRole('searchbox').fill(OPENID)
    await button('Search').click()
    await expect.poll(() => root.querySelectorAll('tbody tr').length).toBe(1)
    await page.getByText('alice', { exact: true }).first().click()
    await button('Sign out').click()
    await expect.element(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(fake.requests).toContain('DELETE session')
    await page.getByLabelText('Token').fill(`${TOKEN}-viewer`)
    await button('Sign in').click()
    await loaded(root)
    await expect.poll(() => root.querySelectorAll('tbody tr').length).toBeGreaterThan(1)
    await expect.element(page.getByRole('searchbox')).toHaveValue('')
  })
})

describe('a user', () => {
  test('is found by her openid and unbound', async () => {
    const { fake } = await openConsole({ hash: '#/users' })
    await page.getByRole('searchbox').fill(OPENID)
    await button('Search').click()
    await link('u-1042').click()
    await button('Unbind').click()
    await says(dialog(), 'Unbind this user?')
    await confirm('Unbind').click()
    await expect.element(text('u-1042 is unbound.')).toBeVisible()
    await expect.element(text('Not bound').first()).toBeVisible()
    await says(page.getByRole('listitem').filter({ hasText: 'by an operator' }), 'by alice')
    expect(fake.requests.filter((request) => request === 'POST users/unbind')).toHaveLength(1)
  })

  test('is erased after a confirmation, and is then unknown', async () => {
    await openConsole({ hash: USER })
    await button('Erase').click()
    await confirm('Cancel').click()
    await button('Erase').click()
    await confirm('Erase').click()
    await expect.element(text('u-1042 is erased.')).toBeVisible()
    await expect.element(page.getByRole('heading', { name: 'Users' })).toBeVisible()
    location.hash = USER
    await expect.element(text('The server does not know this user.')).toBeVisible()
  })

  test('shows the openid only to an operator who asks, until the page is left', async () => {
    await openConsole({ hash: USER })
    await expect.element(text('oAbc…9yZ')).toBeVisible()
    await button('Show openid').click()
    await confirm('Show openid').click()
    await expect.element(text(OPENID)).toBeVisible()
    await expect.poll(() => page.getByText('OpenID shown').elements().length).toBe(2)
    await link('All users').click()
    await expect.element(page.getByRole('heading', { name: 'Users' })).toBeVisible()
    expect(document.body.textContent).not.toContain(OPENID)
  })

  test('does not show an openid on the page of another user that the operator opens before the answer arrives', async () => {
    const { fake, root, answered } = await openConsole({ hash: USER })
    const release = fake.hold('users/reveal')
    await button('Show openid').click()
    await confirm('Show openid').click()
    location.hash = '#/users/forum/acme/u-1079'
    await expect.element(page.getByRole('heading', { name: 'u-1079' })).toBeVisible()
    release()
    await expect.poll(() => answered).toContain('api/users/reveal')
    await loaded(root)
    expect(root.textContent).toContain('oAbc…9yZ')
    expect(root.textContent).not.toContain(OPENID)
  })

  test('is exported as a file whose name has no id', async () => {
    const { saved } = await openConsole({ hash: USER })
    await button('Export').click()
    await confirm('Export').click()
    await expect.element(text('u-1042 is exported.')).toBeVisible()
    expect(saved.map(({ name }) => name)).toEqual(['user.json'])
    expect(JSON.parse(await saved[0]!.file.text())).toMatchObject({ userId: 'u-1042' })
  })

  test('has no actions and no openid for a viewer', async () => {
    const { root } = await openConsole({ fake: createFakeConsole({ role: 'viewer' }), hash: USER })
    await loaded(root)
    const names = [...root.querySelectorAll('main button')].map(({ textContent }) => textContent?.trim())
    expect(names).toEqual([])
    expect(root.textContent).not.toContain('oAbc')
  })

  test('keeps the dialog open and shows the reason when the server refuses an action', async () => {
    const { fake } = await openConsole({ hash: USER })
    await button('Unbind').click()
    fake.refuse('users/unbind', 409, 'NOT_BOUND')
    await confirm('Unbind').click()
    await says(dialog(), 'This user is not bound.')
    fake.allow('users/unbind')
    await confirm('Unbind').click()
    await expect.element(text('u-1042 is unbound.')).toBeVisible()
  })
})

describe('the search', () => {
  test('turns all pages, forward and back', async () => {
    const { root } = await openConsole({ hash: '#/users' })
    await loaded(root)
    const names = new Set<string>()
    const collect = () => {
      for (const { textContent } of root.querySelectorAll('tbody a')) names.add(textContent ?? '')
    }
    collect()
    await button('Next').click()
    await expect.element(text('Page 2')).toBeVisible()
    collect()
    await button('Next').click()
    await expect.element(text('Page 3')).toBeVisible()
    collect()
    expect(names.size).toBe(60)
    await expect.element(button('Next')).toBeDisabled()
    await button('Previous').click()
    await expect.element(text('Page 2')).toBeVisible()
  })

  test('says that it has found no user', async () => {
    await openConsole({ hash: '#/users' })
    await page.getByRole('searchbox').fill('nobody')
    await userEvent.keyboard('{Enter}')
    await expect.element(text('No user found')).toBeVisible()
  })
})

describe('webhooks', () => {
  test('show why a notice failed, and replay it', async () => {
    await openConsole({ hash: '#/webhooks' })
    const notice = page.getByRole('listitem').filter({ hasText: 'u-1042' })
    await says(notice, 'HTTP 401')
    await says(notice, 'The receiver refuses the signature')
    await notice.getByRole('button', { name: 'Replay u-1042' }).click()
    await says(dialog(), '1 notice')
    await confirm('Replay').click()
    await expect.element(text('Notices that are to be sent again: 1.')).toBeVisible()
    await expect.element(button('Failed 2')).toBeVisible()
  })

  test('enable a receiver, and send it a test', async () => {
    await openConsole({ hash: '#/webhooks' })
    await button('Enable').click()
    await confirm('Enable').click()
    await expect.element(text('crm is on.')).toBeVisible()
    const receiver = page.getByRole('listitem').filter({ hasText: 'analytics' })
    await receiver.getByRole('button', { name: 'Send test' }).click()
    await confirm('Send test').click()
    await expect.element(text('analytics did not accept the test (ECONNREFUSED).')).toBeVisible()
  })
})

describe('the doctor', () => {
  test('runs, and reports the call that WeChat refuses', async () => {
    await openConsole({ fake: createFakeConsole({ scene: 'empty' }), hash: '#/doctor' })
    await expect.element(text('The checks have not been run')).toBeVisible()
    await button('Run the checks').click()
    await expect.element(text('WeChat refused the access token: errcode 40164')).toBeVisible()
    await expect.element(text('Add 203.0.113.7')).toBeVisible()
  })
})

describe('live events', () => {
  const event = { tenant: 'shop', account: 'acme', userId: 'u-new', type: 'binding.bound', reason: 'oauth' } as const

  test('appear when they happen, the newest first', async () => {
    const { fake, root } = await openConsole({ hash: '#/live' })
    await loaded(root)
    fake.push({ ...event, at: Date.now() })
    await expect.element(link('u-new')).toBeVisible()
    expect(root.querySelector('.feed li')?.textContent).toContain('web authorization')
  })

  test('are held back while the list is paused', async () => {
    const { fake, root } = await openConsole({ hash: '#/live' })
    await loaded(root)
    await button('Pause').click()
    fake.push({ ...event, at: Date.now() })
    await button('Resume (1 new)').click()
    await expect.element(link('u-new')).toBeVisible()
  })

  test('reload the displayed page at once', async () => {
    const { fake, root } = await openConsole({ hash: '#/webhooks' })
    await loaded(root)
    await expect.poll(() => fake.requests.filter((request) => request === 'GET live').length).toBe(2)
    const count = () => fake.requests.filter((request) => request === 'GET webhooks').length
    const before = count()
    fake.push({ ...event, at: Date.now() })
    await expect.poll(count).toBe(before + 1)
  })
})

describe('a failing server', () => {
  test('leaves the last figures on the page with their age, and a click requests them again', async () => {
    const { fake, root } = await openConsole({ hash: '#/webhooks' })
    await loaded(root)
    fake.refuse('webhooks', 503, 'STORE_UNAVAILABLE')
    await expect.poll(() => fake.requests.filter((request) => request === 'GET live').length).toBe(2)
    fake.push({ tenant: 'shop', account: 'acme', userId: 'u-new', type: 'binding.bound', reason: 'scan', at: 0 })
    await expect.element(text('Not up to date')).toBeVisible()
    await expect.element(page.getByRole('heading', { name: 'Receivers' })).toBeVisible()
    fake.allow('webhooks')
    await button('Try again').click()
    await expect.element(text('Not up to date')).not.toBeInTheDocument()
  })

  test('is reported in place of a page that could not be loaded', async () => {
    const { fake } = await openConsole({ fake: createFakeConsole({ scene: 'failing' }), hash: '#/webhooks' })
    await says(page.getByRole('alert'), 'The server refused the request (STORE_UNAVAILABLE).')
    const count = () => fake.requests.filter((request) => request === 'GET webhooks').length
    const before = count()
    await button('Try again').click()
    await expect.poll(count).toBe(before + 1)
  })
})
