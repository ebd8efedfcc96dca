/** The name of a test or `describe` that needs a tool; the reporter counts the skipped ones by this text at the end of a run. */
export const titleWith = (needs: string, isThere: boolean, title: string) =>
  isThere ? title : `${title} (skipped: this machine lacks ${needs})`

/** What a skipped test says that it needs. */
export const missingIn = (title: string) => /\(skipped: this machine lacks (.+?)\)(?: > |$)/.exec(title)?.[1]
