/** Ctrl-C on something long. */
export interface Interrupt {
  readonly signal: AbortSignal
  end(): void
}

/** The first Ctrl-C ends it after what is under way, the second one at once. */
export function interruptOfProcess(): Interrupt {
  const controller = new AbortController()
  const stop = (): void => {
    controller.abort()
    end()
  }
  const end = (): void => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  return { signal: controller.signal, end }
}
