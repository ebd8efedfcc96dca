/** Signs the operator in and out. The session is in a cookie that scripts cannot read. */
import type { SessionView } from '../server/console/wire.ts'
import type { ConsoleClient } from './console-client.ts'
import type { Session, Store } from './page-state.ts'

type SessionParts = { client: ConsoleClient; store: Store; onSignedIn: () => void; onSignedOut: () => void }

export type SessionActions = ReturnType<typeof createSessionActions>['actions']

export function createSessionActions({ client, store, onSignedIn, onSignedOut }: SessionParts) {
  const { read, write } = store

  function begin(view: SessionView): void {
    write({ session: { state: 'signedIn', view, meta: undefined } })
    onSignedIn()
    void client.meta().then((answer) => {
      const { session } = read()
      if (answer.ok && session.state === 'signedIn') write({ session: { ...session, meta: answer.value } })
    })
  }

  async function leave(hasEnded: boolean): Promise<void> {
    write({ session: { state: 'signedOut', offers: undefined, isBusy: false, hasEnded } })
    onSignedOut()
    // The session is read again, because this answer contains the tokens that the demo offers.
    const answer = await client.session()
    const { session } = read()
    if (answer.ok && !answer.value.signedIn && session.state === 'signedOut') {
      write({ session: { ...session, offers: answer.value.offers } })
    }
  }

  async function readSession(): Promise<void> {
    write({ session: { state: 'unknown' } })
    const answer = await client.session()
    if (!answer.ok) return write({ session: { state: 'failed', failure: answer.failure } })
    if (answer.value.signedIn) return begin(answer.value)
    write({ session: { state: 'signedOut', offers: answer.value.offers, isBusy: false, hasEnded: false } })
  }

  return {
    /** The server has refused the session, because it has expired or its token was removed. */
    end: () => void leave(true),
    actions: {
      readSession,
      async signIn(token: string): Promise<void> {
        const { session } = read()
        if (session.state !== 'signedOut' || session.isBusy) return
        const { offers, hasEnded } = session
        const asking: Session = { state: 'signedOut', offers, isBusy: true, hasEnded }
        write({ session: asking })
        const answer = await client.signIn(token)
        if (answer.ok) return begin(answer.value)
        write({ session: { ...asking, isBusy: false, hasEnded: false, failure: answer.failure } })
      },
      async signOut(): Promise<void> {
        const answer = await client.signOut()
        const isOver = answer.ok || answer.failure.code === 'UNAUTHORIZED'
        if (!isOver) return write({ session: { state: 'failed', failure: answer.failure } })
        await leave(false)
      },
    },
  }
}
