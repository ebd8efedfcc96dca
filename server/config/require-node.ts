/**
 * Throws `BAD_CONFIG` if Node is too old. The entries of the package import this file before all others, because other files fail
 * in an old Node with an error that does not name the version. Node only.
 */
import { BindError } from '../errors.ts'
import { findNodeFault } from './version.ts'

const fault = findNodeFault()
if (fault !== undefined) throw new BindError('BAD_CONFIG', fault)
