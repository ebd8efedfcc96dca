/**
 * The visitor of this page. A tab stays the same visitor when it reloads. The conditions that a visitor sets do not
 * apply to other visitors.
 */
const KEY = 'wechat-bind-demo-visitor'

// `crypto.randomUUID` exists only over https and on localhost.
const toId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')

const id = sessionStorage.getItem(KEY) ?? toId()
sessionStorage.setItem(KEY, id)

/** The prefix of the paths that belong to this visitor, relative to the page. */
export const visitorPath = `visitor/${id}`
