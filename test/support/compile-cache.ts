/**
 * Node's cache of compiled modules. With the cache, a server process needs half the CPU time to start, because Node
 * need not strip the types again.
 */
import { join } from 'node:path'

/**
 * The environment variables for the workers and for every process that runs the project's modules. The folder is in
 * `node_modules`, because the home folder may be read-only.
 */
export const compileCache = { NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/node') }
