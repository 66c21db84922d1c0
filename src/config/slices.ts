/**
 * Long work in pieces, each as short as it can be: a command does them at once, and a running engine does
 * something else between them. It yields where others may go on.
 */
export type Sliced<T> = Generator<undefined, T, undefined>

export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** After each piece a rest as long as the piece: what came meanwhile needs several turns of the event loop. */
export async function inSlices<T>(work: Sliced<T>, rest: (milliseconds: number) => Promise<void>): Promise<T> {
  for (;;) {
    const began = performance.now()
    const step = work.next()
    if (step.done === true) return step.value
    await rest(Math.max(1, performance.now() - began))
  }
}
