/** The actions that need a confirmation: the page asks in a dialog, sends the action, and shows its result. */
import type { UserName } from '../server/console/wire.ts'
import type { Answer, ConsoleClient, Failure } from './console-client.ts'
import type { Loader } from './loader.ts'
import type { Note, Question, Store } from './page-state.ts'

type QuestionParts = {
  client: ConsoleClient
  store: Store
  loader: Loader
  /** Whether the page still shows this user. The operator may have opened another page before the answer arrives. */
  isShown: (user: UserName) => boolean
  reload: () => void
  leaveUser: () => void
  save: (file: Blob, name: string) => void
  onFailure: (failure: Failure) => void
}

export function createQuestions({ client, store, loader, isShown, reload, leaveUser, save, onFailure }: QuestionParts) {
  /** Sends the action. After a success, calls `done`, which shows the change. */
  async function send<T>(
    request: Promise<Answer<T>>,
    done: (value: T) => Note | undefined,
  ): Promise<Answer<Note | undefined>> {
    const answer = await request
    return answer.ok ? { ok: true, value: done(answer.value) } : answer
  }

  function perform(question: Question): Promise<Answer<Note | undefined>> {
    switch (question.name) {
      case 'unbind': {
        const { user } = question
        return send(client.unbind(user), (view) => {
          if (isShown(user)) loader.show('user', view)
          return { name: 'unbound', user }
        })
      }
      case 'erase': {
        const { user } = question
        return send(client.erase(user), () => {
          if (isShown(user)) leaveUser()
          return { name: 'erased', user }
        })
      }
      case 'export': {
        const { user } = question
        return send(client.exportUser(user), (file) => {
          // The name of the file is shown in lists of downloads, so it contains no id.
          save(file, 'user.json')
          reload()
          return { name: 'exported', user }
        })
      }
      case 'reveal': {
        const { user } = question
        return send(client.reveal(user), (revealed) => {
          if (!isShown(user)) return undefined
          store.write({ revealed })
          reload()
          return { name: 'revealed', user }
        })
      }
      case 'replay':
        return send(client.replay(question.choice), ({ count }) => {
          reload()
          return { name: 'replayed', count }
        })
      case 'retry':
        return send(client.retry(question.choice), ({ count }) => {
          reload()
          return { name: 'retried', count }
        })
      case 'enable': {
        const { receiver } = question
        return send(client.enable(receiver), (webhooks) => {
          loader.show('webhooks', webhooks)
          return { name: 'enabled', receiver }
        })
      }
      case 'test': {
        const { receiver } = question
        return send(client.test(receiver), (outcome) => {
          reload()
          return { name: 'tested', receiver, outcome }
        })
      }
    }
  }

  return {
    ask: (question: Question) => store.write({ question: { question, isBusy: false }, note: undefined }),
    cancel: () => store.write({ question: undefined }),
    async confirm(): Promise<void> {
      const open = store.read().question
      if (!open || open.isBusy) return
      const { question } = open
      store.write({ question: { question, isBusy: true } })
      const answer = await perform(question)
      // By now the dialog may be closed, or may ask another question.
      const isAsked = store.read().question?.question === question
      if (answer.ok) return store.write({ note: answer.value, ...(isAsked ? { question: undefined } : {}) })
      if (isAsked) store.write({ question: { question, isBusy: false, failure: answer.failure } })
      onFailure(answer.failure)
    },
    dismissNote: () => store.write({ note: undefined }),
  }
}
