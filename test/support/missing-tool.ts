/** Marks the titles of tests that are skipped when a tool is missing. The reporter finds these tests by the mark. */
export const titleWith = (needs: string, isThere: boolean, title: string) =>
  isThere ? title : `${title} (skipped: this machine lacks ${needs})`

/** The tool that a skipped test needs, from its title. */
export const missingIn = (title: string) => /\(skipped: this machine lacks (.+?)\)(?: > |$)/.exec(title)?.[1]
