/** The panel of settings and conditions, with a summary of those that differ from their defaults. */
import { html, nothing, type TemplateResult } from 'lit'
import { type ConditionName, conditionValues, differences } from '../../conditions.ts'
import type { Actions } from '../app.ts'
import { conditionHints } from '../condition-hints.ts'
import { conditionLabels, type SettableName } from '../condition-labels.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { type Language, type Settings, settingValues } from '../settings.ts'
import { icons } from './icons.ts'

type PageName = 'context' | 'network' | 'follow' | 'authorize' | 'refresh'

const pageSettings: PageName[] = ['context', 'refresh', 'network', 'follow', 'authorize']
const serverConditions: ConditionName[] = ['confirm', 'conflict', 'unsubscribe', 'ticket', 'limits', 'mode', 'clock']
const faults: ConditionName[] = ['server', 'store', 'wechat', 'errcode', 'callbacks', 'receiver']
// These conditions apply only to the simulated WeChat.
const simulatorOnly: SettableName[] = ['mode', 'wechat', 'errcode', 'callbacks', 'follow', 'authorize']

type Setting = {
  name: SettableName
  value: string
  values: readonly string[]
  isDefault: boolean
  set(value: string): void
}

export function conditionsView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { settings, demo, copied } = state
  const { lang } = settings
  const groups: [string, Setting[]][] = [
    [t.groupPage, pageSettings.map((name) => pageSetting(name, settings, actions))],
    [t.groupServer, serverConditions.map((name) => conditionSetting(name, state, actions))],
    [t.groupFaults, faults.map((name) => conditionSetting(name, state, actions))],
  ]
  const isAvailable = ({ name }: Setting) => !(demo.isReal && simulatorOnly.includes(name))
  const overrides = groups.flatMap(([, group]) => group).filter(({ isDefault }) => !isDefault)
  const reset = () => {
    actions.set({ context: 'auto', refresh: 'auto', network: 'up', follow: 'quick' })
    void actions.resetConditions()
  }
  return html`
    <section aria-label=${t.conditions}><details class="conditions">
      <summary data-testid="conditions">
        ${icons.sliders}<span>${t.conditions}</span>
        ${overrides.length === 0 ? html`<span class="muted">${t.noOverrides}</span>` : nothing}
        ${overrides.map(({ name, value }) => html`<span class="chip">${chipText(name, value, lang)}</span>`)}
      </summary>
      <div class="groups">
        ${groups.map(
          ([title, group]) => html`<fieldset>
            <legend>${title}</legend>
            ${group.filter(isAvailable).map((setting) => settingView(setting, lang))}
          </fieldset>`,
        )}
      </div>
      <div class="actions">
        <button type="button" class="quiet" data-testid="reset" ?disabled=${overrides.length === 0} @click=${reset}>${t.reset}</button>
        <button type="button" class="quiet" data-testid="copy-link" @click=${() => actions.copy(location.href, 'link')}>
          ${icons.link}${copied === 'link' ? t.copied : t.copyLink}
        </button>
      </div>
    </details></section>
  `
}

function chipText(name: SettableName, value: string, lang: Language): string {
  const { label, values } = conditionLabels[lang][name]
  return `${label}${lang === 'en' ? ': ' : '：'}${values[value] ?? value}`
}

function pageSetting(name: PageName, settings: Settings, actions: Actions): Setting {
  const values = settingValues[name]
  const set = (value: string) => actions.set({ [name]: value })
  return { name, value: settings[name], values, isDefault: settings[name] === values[0], set }
}

function conditionSetting(name: ConditionName, { demo }: PageState, actions: Actions): Setting {
  const { conditions, usual } = demo
  const set = (value: string) => void actions.setCondition(name, value)
  const isDefault = !differences(conditions, usual).includes(name)
  return { name, value: conditions[name], values: conditionValues[name], isDefault, set }
}

function settingView({ name, value, values, isDefault, set }: Setting, lang: Language): TemplateResult {
  const { label, values: labels } = conditionLabels[lang][name]
  const optionView = (one: string) =>
    html`<option value=${one} ?selected=${one === value}>${labels[one] ?? one}</option>`
  return html`<label class="setting" title=${`${name}=${value}`} ?data-overridden=${!isDefault}>
    <span>${label}</span>
    <small id=${`hint-${name}`}>${conditionHints[lang][name]}</small>
    <select
      data-testid=${`set-${name}`}
      aria-label=${label}
      aria-describedby=${`hint-${name}`}
      .value=${value}
      @change=${({ target }: Event) => set((target as HTMLSelectElement).value)}
    >
      ${values.map(optionView)}
    </select>
  </label>`
}
