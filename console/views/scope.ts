/** What every view gets: the state, the actions, the texts and the formats of the reader's language. */
import type { Actions } from '../app.ts'
import type { Format } from '../format.ts'
import type { Texts } from '../messages.ts'
import type { PageState } from '../page-state.ts'

export type Scope = { state: PageState; actions: Actions; t: Texts; format: Format }

export const isOperator = ({ session }: PageState) => session.state === 'signedIn' && session.view.role === 'operator'
