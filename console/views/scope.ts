/** The parameter of every view: the state, the actions, and the texts and formats in the reader's language. */
import type { Actions } from '../app.ts'
import type { Format } from '../format.ts'
import type { Texts } from '../messages.ts'
import type { PageState } from '../page-state.ts'

export type Scope = { state: PageState; actions: Actions; t: Texts; format: Format }

export const isOperator = ({ session }: PageState) => session.state === 'signedIn' && session.view.role === 'operator'
