/**
 * Has the version of this package, and checks whether Node is new enough for it. The entries import this file first, so this file
 * must run in an old Node. The values are constants, because a bundle of your own server does not include the package.json of
 * this package. A test compares them with package.json. Node only.
 */

export const VERSION = '0.1.0'

/** `engines` of package.json. */
export const NEEDED_NODE = '22.16'

/** The name of this server in its own requests. */
export const USER_AGENT = `wechat-bind/${VERSION}`

/** Returns a line with the required version of Node, or undefined if `version` is new enough. */
export function findNodeFault(version: string = process.versions.node): string | undefined {
  const [neededMajor = 0, neededMinor = 0] = NEEDED_NODE.split('.').map(Number)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined
  return `wechat-bind needs Node ${NEEDED_NODE} or newer, this is Node ${version}. 需要 Node ${NEEDED_NODE} 或更高版本，当前为 ${version}。`
}

/** Returns a line if an import failed because this Node has no `node:sqlite`, and undefined for any other error. */
export function findModuleFault(error: { code?: unknown; message?: string }): string | undefined {
  // "No such built-in module: node:sqlite"
  if (error.code !== 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined
  return `wechat-bind needs node:sqlite, which this Node ${process.versions.node} does not offer: remove --no-experimental-sqlite from its command and from NODE_OPTIONS, or install an official build of Node. wechat-bind 需要 node:sqlite，而当前的 Node ${process.versions.node} 没有提供：请从启动命令与 NODE_OPTIONS 中去掉 --no-experimental-sqlite，或安装 Node 官方版本。`
}
