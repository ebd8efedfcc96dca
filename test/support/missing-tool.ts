/**
 * Adds a mark to the title of a test that is skipped because a tool is missing. The reporter recognises these tests by
 * the mark.
 */
export const titleWith = (needs: string, isThere: boolean, title: string) =>
  isThere ? title : `${title} (skipped: this machine lacks ${needs})`

/** Returns the tool that a skipped test needs. Reads it from the mark in the title. */
export const missingIn = (title: string) => /\(skipped: this machine lacks (.+?)\)(?: > |$)/.exec(title)?.[1]
