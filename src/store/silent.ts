import type { Log } from '../core/ports.ts'

/** For what says itself what happened. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
