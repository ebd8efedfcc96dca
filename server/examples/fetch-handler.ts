/** Mounts the bind server in any server that is a function from `Request` to `Response`, beside your own function. */
import type { OpenApp } from '../index.ts'

type Handler = (request: Request) => Response | Promise<Response>

const OURS = /^\/(wechat\/callback$|widget\/|api\/WeChat\/)/

export const besideYourOwn =
  (bind: OpenApp, own: Handler): Handler =>
  (request) =>
    OURS.test(new URL(request.url).pathname) ? bind.app.fetch(request) : own(request)
