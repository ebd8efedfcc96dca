/** The pages themselves: accessible, by keyboard, in every width and language. */
import { describe, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { languages } from '../../../console/preferences.ts'
import { loaded, openConsole, says } from '../support/console-fixture.ts'
import { createFakeConsole, type Scene, TOKEN } from '../support/fake-console.ts'

const hashes = ['#/overview', '#/users', '#/users/shop/acme/u-1042', '#/webhooks', '#/doctor', '#/live']
const USER = '#/users/shop/acme/u-1042'

const drawn = async (root: HTMLElement) => {
  await loaded(root)
  await expect
    .poll(() => [...root.querySelectorAll('console-chart')].every((chart) => chart.querySelector('canvas')))
    .toBe(true)
}

describe('every page', () => {
  const scenes: [Scene, 'light' | 'dark'][] = [
    ['full', 'light'],
    ['full', 'dark'],
    ['empty', 'light'],
    ['failing', 'dark'],
  ]

  test.each(scenes)('passes axe: %s, %s', async (scene, theme) => {
    for (const hash of hashes) {
      const { root } = await openConsole({ fake: createFakeConsole({ scene }), hash, preferences: { theme } })
      await drawn(root)
      await expect(document.body).to.be.accessible()
    }
  })

  test('passes axe: the sign-in with a fault, the menu, and a question', async () => {
    await openConsole({ fake: createFakeConsole({ isSignedIn: false, offers: true }) })
    await page.getByLabelText('Token').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await says(page.getByRole('alert'), 'not valid')
    await expect(document.body).to.be.accessible()
    await openConsole({ hash: USER })
    await page.getByText('alice', { exact: true }).first().click()
    await page.getByRole('button', { name: 'Erase' }).click()
    await expect(document.body).to.be.accessible()
  })

  test.each(languages)('fits a screen of 360 px: %s', async (lang) => {
    await page.viewport(360, 640)
    for (const hash of hashes) {
      const { root } = await openConsole({ hash, preferences: { lang } })
      await drawn(root)
      expect([hash, document.documentElement.scrollWidth]).toEqual([hash, 360])
    }
  })

  test('has a title, and puts the focus on its content after a change of the page', async () => {
    const { root } = await openConsole()
    await page.getByRole('link', { name: 'Doctor' }).click()
    await loaded(root)
    expect(document.title).toBe('Doctor · wechat-bind console')
    expect(document.activeElement?.id).toBe('content')
  })
})

describe('the keyboard', () => {
  /** Presses Tab until the element with this name has the focus. */
  async function tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 60; presses++) {
      await userEvent.tab()
      const focused = document.activeElement as HTMLElement
      const own = focused.getAttribute('aria-label') ?? focused.textContent ?? ''
      const label = (focused as HTMLInputElement).labels?.[0]?.textContent ?? own
      if (label.trim().startsWith(name)) return
    }
    throw new Error(`Tab does not reach "${name}".`)
  }

  test('is enough to sign in, find a user and unbind her, and some element always has the focus', async () => {
    const { root } = await openConsole({ fake: createFakeConsole({ isSignedIn: false }), hash: '#/users' })
    await tabTo('Token')
    await userEvent.keyboard(`${TOKEN}{Enter}`)
    await expect.element(page.getByRole('searchbox')).toBeVisible()
    await loaded(root)
    await tabTo('Account')
    await userEvent.keyboard('u-1042{Enter}')
    await expect.poll(() => root.querySelectorAll('tbody tr').length).toBe(1)
    await tabTo('u-1042')
    await userEvent.keyboard('{Enter}')
    await expect.element(page.getByRole('button', { name: 'Unbind' })).toBeVisible()
    await tabTo('Unbind')
    await userEvent.keyboard('{Enter}')
    // The dialog first focuses its harmless answer, and Escape returns the focus to the button.
    expect(document.activeElement?.textContent?.trim()).toBe('Cancel')
    await userEvent.keyboard('{Escape}')
    await expect.poll(() => document.activeElement?.textContent?.trim()).toBe('Unbind')
    await userEvent.keyboard('{Enter}')
    await tabTo('Unbind')
    await userEvent.keyboard('{Enter}')
    await expect.element(page.getByText('u-1042 is unbound.')).toBeVisible()
    // The button that opened the dialog no longer exists.
    expect(document.activeElement?.id).toBe('content')
  })

  test('moves the pointer of a chart, which shows the values', async () => {
    const { root } = await openConsole()
    await drawn(root)
    const chart = root.querySelector('console-chart')!
    const plot = chart.querySelector<HTMLElement>('.plot')!
    plot.focus()
    await userEvent.keyboard('{ArrowRight}{ArrowRight}')
    const row = [...chart.querySelectorAll('tbody tr')][1]
    const [time, binds, unbinds] = [...(row?.children ?? [])].map(({ textContent }) => textContent)
    await expect
      .poll(() => [...chart.querySelectorAll('output span')].map(({ textContent }) => textContent))
      .toEqual([time, `Binds ${binds}`, `Unbinds ${unbinds}`])
  })
})

describe('the overview', () => {
  test('has every value of the charts in a table', async () => {
    const { root } = await openConsole()
    await drawn(root)
    const [binds, times] = [...root.querySelectorAll('console-chart')]
    expect(binds?.querySelectorAll('tbody tr')).toHaveLength(25)
    expect(times?.querySelectorAll('tbody tr')).toHaveLength(8)
  })

  test('keeps period and tenant in the fragment', async () => {
    const { fake } = await openConsole()
    await page.getByRole('button', { name: '7 days' }).click()
    await page.getByRole('combobox').selectOptions('forum')
    await expect.poll(() => location.hash).toBe('#/overview?range=7d&tenant=forum')
    await expect.poll(() => fake.requests.includes('GET overview')).toBe(true)
    await expect.element(page.getByRole('button', { name: '7 days' })).toHaveAttribute('aria-pressed', 'true')
  })

  test('shows the doctor’s explanation beside each light that is not green', async () => {
    await openConsole()
    const light = page.getByRole('listitem').filter({ hasText: 'Webhook lag' })
    await says(light, 'Fault')
    await says(light, 'crm has failed for 5 days and is off.')
  })
})

describe('the preferences', () => {
  test('change language and theme immediately, and are stored', async () => {
    const { root } = await openConsole()
    await page.getByText('alice', { exact: true }).first().click()
    await page.getByRole('button', { name: '简体' }).click()
    await page.getByRole('button', { name: '深色' }).click()
    expect(root.querySelector('h1')?.textContent).toBe('概览')
    expect(document.documentElement.dataset.theme).toBe('dark')
    expect(JSON.parse(localStorage.getItem('wechat-bind-console') ?? '')).toEqual({ lang: 'zh-CN', theme: 'dark' })
  })

  test('give the charts the colours of the theme', async () => {
    const { root } = await openConsole()
    await drawn(root)
    const picture = () => root.querySelector('canvas')?.toDataURL()
    const light = picture()
    await page.getByText('alice', { exact: true }).first().click()
    await page.getByRole('button', { name: 'Dark' }).click()
    await drawn(root)
    await expect.poll(() => picture() !== light).toBe(true)
  })
})
