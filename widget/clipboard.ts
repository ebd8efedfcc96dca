/** Copies a text of the card for the user. */

/** Returns whether the text of `element` was copied. */
export async function copyText(element: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '')
    return true
  } catch {
    // The clipboard needs permission and https. Without them the text is selected, so that the user can copy it.
    getSelection()?.selectAllChildren(element)
    return false
  }
}
