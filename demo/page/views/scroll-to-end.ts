/** A lit directive that scrolls a list to its end when the last item has changed. */
import { type AttributePart, noChange } from 'lit'
import { Directive, directive, type ElementPart, type PartInfo, PartType } from 'lit/directive.js'

class ScrollToEnd extends Directive {
  private last: unknown

  constructor(part: PartInfo) {
    super(part)
    if (part.type !== PartType.ELEMENT) throw new TypeError('scrollToEnd() can only be used on an element')
  }

  render(_last: unknown): typeof noChange {
    return noChange
  }

  override update({ element }: ElementPart | AttributePart, [last]: [unknown]): typeof noChange {
    if (last !== this.last) {
      this.last = last
      // Scrolls after rendering, because lit renders the children after the element's attributes.
      queueMicrotask(() => element.scrollTo({ top: element.scrollHeight }))
    }
    return noChange
  }
}

export const scrollToEnd = directive(ScrollToEnd)
