import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'

/** Runs `work` when poked, never twice at once; pokes that come while it runs become one more run. */
export function createRunner({ role, work, log }: { role: string; work: () => Promise<void>; log: Log }): {
  poke(): void
  stop(): Promise<void>
} {
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  async function run(): Promise<void> {
    do {
      again = false
      try {
        await work()
      } catch (error) {
        // What a failed run left is found by the next wake-up or the sweep. An absent store is said once, by the store.
        const code = error instanceof EngineError ? error.code : undefined
        if (code !== 'E501') log.warn({ role, code, error: nameOf(error) }, 'work ended early')
      }
    } while (again)
    running = undefined
  }

  return {
    poke() {
      if (stopped) return
      if (running === undefined) running = run()
      else again = true
    },
    async stop() {
      stopped = true
      again = false
      await running
    },
  }
}

/** Only the name of a foreign error: its text may hold anything (I9). */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
