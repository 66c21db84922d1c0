/**
 * Work that may never come back, such as a call into a network folder whose server is gone. Each
 * such call keeps one of the few threads that all files and name look-ups of the process share:
 * so only some run at a time, and while one is overdue no other is begun.
 */
export interface Patience {
  /** Rejects with `Overdue` when the work takes too long, or when other work does. */
  run<T>(work: () => Promise<T>): Promise<T>
}

export class Overdue extends Error {
  readonly code = 'no answer'
}

export function createPatience({
  atOnce,
  milliseconds,
}: {
  readonly atOnce: number
  readonly milliseconds: number
}): Patience {
  let running = 0
  let overdue = 0
  const waiting: (() => void)[] = []

  async function slot(): Promise<void> {
    if (overdue > 0) throw new Overdue()
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    if (overdue > 0) {
      // The next in the line finds the same.
      waiting.shift()?.()
      throw new Overdue()
    }
    running += 1
  }

  return {
    async run(work) {
      await slot()
      let isOverdue = false
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isOverdue = true
          overdue += 1
          reject(new Overdue())
          for (const one of waiting.splice(0)) one()
        }, milliseconds)
      })
      const done = work().finally(() => {
        clearTimeout(timer)
        running -= 1
        if (isOverdue) overdue -= 1
        waiting.shift()?.()
      })
      return Promise.race([done, late])
    },
  }
}
