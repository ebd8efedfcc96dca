/** Angular: CUSTOM_ELEMENTS_SCHEMA allows the tag in a template; `[x]` sets a property, `(x)` adds a listener. */
import { Component, CUSTOM_ELEMENTS_SCHEMA, provideZonelessChangeDetection, signal } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import type { BindEventMap } from 'wechat-bind'
import 'wechat-bind/define'

@Component({
  selector: 'app-root',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <main>
      <button type="button" (click)="isShown.set(!isShown())">WeChat</button>
      @if (isShown()) {
        <wechat-bind
          [getToken]="getToken"
          theme="light"
          [messages]="messages"
          (bound)="onBound($event)"
          (unbound)="onUnbound($event)"
        ></wechat-bind>
      }
      <output>{{ news() }}</output>
    </main>
  `,
})
class App {
  readonly isShown = signal(true)
  readonly news = signal('')
  readonly messages = { title: 'Notifications in WeChat' }

  async getToken(): Promise<string> {
    const response = await fetch('/my/wechat-token')
    return (await response.json()).token
  }

  onBound(event: Event): void {
    this.news.set(`bound ${(event as BindEventMap['bound']).detail.boundAt}`)
  }

  onUnbound(event: Event): void {
    this.news.set(`unbound ${(event as BindEventMap['unbound']).detail.reason}`)
  }
}

document.body.append(document.createElement('app-root'))
bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] })
