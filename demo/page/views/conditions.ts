/** The panel where everything is set on demand, and above it what is not as usual. */
import { html, nothing, type TemplateResult } from 'lit'
import { type ConditionName, conditionValues, differences } from '../../conditions.ts'
import type { Actions } from '../app.ts'
import { type SettableName, words } from '../condition-labels.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { type Language, type Settings, settingValues } from '../settings.ts'
import { icons } from './icons.ts'

type PageName = 'context' | 'network' | 'follow' | 'refresh'

const ofThePage: PageName[] = ['context', 'refresh', 'network', 'follow']
const ofTheServer: ConditionName[] = ['confirm', 'conflict', 'unsubscribe', 'ticket', 'mode', 'clock']
const faults: ConditionName[] = ['server', 'store', 'wechat', 'errcode', 'callbacks']
// A real WeChat does as it likes.
const notWithRealWechat: SettableName[] = ['mode', 'wechat', 'errcode', 'callbacks', 'follow']

type Setting = {
  name: SettableName
  value: string
  values: readonly string[]
  isUsual: boolean
  set(value: string): void
}

export function conditionsView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { settings, demo, copied } = state
  const { lang } = settings
  const groups: [string, Setting[]][] = [
    [t.groupPage, ofThePage.map((name) => pageSetting(name, settings, actions))],
    [t.groupServer, ofTheServer.map((name) => conditionSetting(name, state, actions))],
    [t.groupFaults, faults.map((name) => conditionSetting(name, state, actions))],
  ]
  const isThere = ({ name }: Setting) => !(demo.isReal && notWithRealWechat.includes(name))
  const unusual = groups.flatMap(([, group]) => group).filter(({ isUsual }) => !isUsual)
  const reset = () => {
    actions.set({ context: 'auto', refresh: 'auto', network: 'up', follow: 'quick' })
    void actions.resetConditions()
  }
  return html`
    <section aria-label=${t.conditions}><details class="conditions">
      <summary data-testid="conditions">
        ${icons.sliders}<span>${t.conditions}</span>
        ${unusual.length === 0 ? html`<span class="muted">${t.allUsual}</span>` : nothing}
        ${unusual.map(({ name, value }) => html`<code class="chip">${name}=${value}</code>`)}
      </summary>
      <div class="groups">
        ${groups.map(
          ([title, group]) => html`<fieldset>
            <legend>${title}</legend>
            ${group.filter(isThere).map((setting) => settingView(setting, lang))}
          </fieldset>`,
        )}
      </div>
      <div class="actions">
        <button type="button" class="quiet" data-testid="reset" ?disabled=${unusual.length === 0} @click=${reset}>${t.reset}</button>
        <button type="button" class="quiet" data-testid="copy-link" @click=${() => actions.copy(location.href, 'link')}>
          ${icons.link}${copied === 'link' ? t.copied : t.copyLink}
        </button>
      </div>
    </details></section>
  `
}

function pageSetting(name: PageName, settings: Settings, actions: Actions): Setting {
  const values = settingValues[name]
  const set = (value: string) => actions.set({ [name]: value })
  return { name, value: settings[name], values, isUsual: settings[name] === values[0], set }
}

function conditionSetting(name: ConditionName, { demo }: PageState, actions: Actions): Setting {
  const { conditions, usual } = demo
  const set = (value: string) => void actions.setCondition(name, value)
  const isUsual = !differences(conditions, usual).includes(name)
  return { name, value: conditions[name], values: conditionValues[name], isUsual, set }
}

function settingView({ name, value, values, isUsual, set }: Setting, lang: Language): TemplateResult {
  const { label, values: meanings } = words[lang][name]
  const optionView = (one: string) =>
    html`<option value=${one} ?selected=${one === value}>${meanings[one] ?? one}</option>`
  return html`<label class="setting" title=${`${name}=${value}`} ?data-unusual=${!isUsual}>
    <span>${label}</span>
    <select
      data-testid=${`set-${name}`}
      .value=${value}
      @change=${({ target }: Event) => set((target as HTMLSelectElement).value)}
    >
      ${values.map(optionView)}
    </select>
  </label>`
}
