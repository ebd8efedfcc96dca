/** Scrolls a list to its end when its last item is another one, and leaves the reader in peace otherwise. */
import { type AttributePart, noChange } from 'lit'
import { Directive, directive, type ElementPart, type PartInfo, PartType } from 'lit/directive.js'

class ToEnd extends Directive {
  private last: unknown

  constructor(part: PartInfo) {
    super(part)
    if (part.type !== PartType.ELEMENT) throw new TypeError('toEnd() belongs to an element')
  }

  render(_last: unknown): typeof noChange {
    return noChange
  }

  override update({ element }: ElementPart | AttributePart, [last]: [unknown]): typeof noChange {
    if (last !== this.last) {
      this.last = last
      // The list is drawn after its own attributes.
      queueMicrotask(() => element.scrollTo({ top: element.scrollHeight }))
    }
    return noChange
  }
}

export const toEnd = directive(ToEnd)
