/**
 * Functions that the tests and msw call, and that Chromium has since version 122. The element calls none of them: the stories
 * run without this file.
 */

Promise.withResolvers ??= <Value>() => {
  let resolve!: (value: Value | PromiseLike<Value>) => void
  let reject!: (reason?: unknown) => void
  const promise = new Promise<Value>((...functions) => {
    ;[resolve, reject] = functions
  })
  return { promise, resolve, reject }
}

URL.canParse ??= (url, base) => {
  try {
    return !!new URL(url, base)
  } catch {
    return false
  }
}

Object.assign(Set.prototype, {
  intersection(this: Set<unknown>, other: Set<unknown>) {
    return new Set([...this].filter((each) => other.has(each)))
  },
  difference(this: Set<unknown>, other: Set<unknown>) {
    return new Set([...this].filter((each) => !other.has(each)))
  },
})

export {}
