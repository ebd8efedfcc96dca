/** The requests of the console's page. */

import { act, type ConsoleAction, type ConsoleRequest, signIn, signOut } from '../model/console.ts'
import type { Op } from '../model/explain.ts'
import type { Instance } from '../world/instance.ts'
import { openids, unionidOf } from '../world/wechat.ts'
import { identityOf, operators, type World } from '../world/world.ts'
import { type Exchange, keyOf, type Outcome, readRefusal } from './exchange.ts'
import type { RequestStep } from './requests.ts'

/** `who` is the operator whose browser sends the request. */
export type ConsoleStep =
  | { do: 'sign_in'; who: number; isRight: boolean }
  | { do: 'sign_out'; who: number }
  | { do: 'console'; what: ConsoleAction; who: number; user: number; phone: number; isForged: boolean }

/** An operator without a session signs in first. */
export function onConsole(world: World, instance: Instance, asked: Extract<RequestStep, ConsoleStep>): Exchange {
  const { who: whom, at } = asked
  const isFirst = asked.do === 'console' && !world.browsers[whom % operators.length]
  const step: typeof asked = isFirst ? { do: 'sign_in', who: whom, isRight: true, at } : asked
  const who = step.who % operators.length
  const operator = operators[who]!
  const browser = world.browsers[who]
  const isForged = step.do === 'console' && step.isForged
  const request: ConsoleRequest = {
    session: browser && world.hashOfCookie(browser.cookie),
    operator,
    isForged,
  }
  const send = (method: 'POST' | 'DELETE', path: string, body?: object) => () =>
    instance.onConsole({
      method,
      path,
      body,
      cookie: browser?.cookie,
      csrf: isForged ? undefined : browser?.csrf,
    })
  const exchange = (
    sent: Exchange['send'],
    op: Op,
    toValue: (body: Body, cookie: string | undefined) => unknown,
  ): Exchange => ({
    instance,
    send: sent,
    op: () => op,
    read: (answer) => readConsole(answer as ConsoleAnswer, operator.role === 'viewer', toValue),
  })

  if (step.do === 'sign_in') {
    const token = step.isRight ? operator.token : 'a-token-that-nobody-has'
    return exchange(
      send('POST', '/session', { token }),
      (m) => signIn(m, step.isRight ? operator : undefined),
      ({ csrf, role }, cookie) => {
        if (cookie !== undefined) world.browsers[who] = { cookie, csrf: String(csrf) }
        return { signedIn: role }
      },
    )
  }
  if (step.do === 'sign_out') {
    return exchange(
      send('DELETE', '/session'),
      (m) => signOut(m, request),
      () => ({ signedOut: true }),
    )
  }
  const { what: action } = step
  const key = keyOf(step)
  const openid = openids[step.phone % openids.length]!
  const body = action === 'search' ? { q: openid } : identityOf(key)
  return exchange(
    send('POST', `/users/${action}`, body),
    (m, choose) => act(m, request, { action, key, openid }, choose),
    (data) => toPlain(action, data),
  )
}

type Body = Record<string, unknown>
export type ConsoleAnswer = { status: number; text: string; cookie: string | undefined }

function readConsole(
  { status, text, cookie }: ConsoleAnswer,
  isViewer: boolean,
  toValue: (body: Body, cookie: string | undefined) => unknown,
): Outcome {
  if (isViewer && openids.some((openid) => text.includes(openid) || text.includes(unionidOf(openid) ?? openid))) {
    return { fault: 'the answer to a viewer contains an openid' }
  }
  const body = (text === '' ? {} : JSON.parse(text)) as Body
  return status < 300 ? { value: toValue(body, cookie) } : readRefusal(String(body.code))
}

/** Removes the values that the model cannot predict. */
function toPlain(action: ConsoleAction, data: Body): unknown {
  switch (action) {
    case 'search': {
      const items = data.items as { tenant: string; account: string; userId: string }[]
      return { found: items.map(({ tenant, account, userId }) => `${tenant}/${account}/${userId}`).sort() }
    }
    case 'show':
    case 'unbind':
      return { state: data.state, version: data.version }
    case 'export':
      return { exported: data.Version }
    default:
      return data
  }
}
