import type { Break, Trouble, Where } from './line.ts'
import { oneOf } from './processes.ts'
import { risModes, type RisMode } from './ris.ts'
import type { Fault } from './types.ts'

/** The RIS does not take what it is told, in each way in which it can fail to. AE is left to its own: it ends a message for good. */
export const risFaults: readonly Fault[] = risModes.filter((mode) => mode !== 'take').map(risFault)

function risFault(mode: RisMode): Fault {
  return {
    name: `ris: ${mode}`,
    fits: () => true,
    async inject({ ris }) {
      await ris.setMode(mode)
      // Another fault of the RIS that came since has the say.
      return { what: mode, heal: async () => (ris.mode() === mode ? ris.setMode('take') : undefined) }
    },
  }
}

const breaks: readonly Fault[] = (['cut', 'reset'] as const).flatMap((how) =>
  (['message', 'between', 'acknowledgment'] as const).map((where) => broken(how, where)),
)

/** What the network does to what senders send, one message in ten. */
export const lineFaults: readonly Fault[] = [
  ...breaks,
  lineFault('line: pieces', { kind: 'split' }),
  lineFault('line: joined', { kind: 'join', milliseconds: 20 }),
  lineFault('line: slow', { kind: 'delay', milliseconds: 50 }),
  lineFault('line: down', { kind: 'down' }),
]

function broken(how: Break, where: Where): Fault {
  const place = { message: 'in a message', between: 'before the acknowledgment', acknowledgment: 'in it' }[where]
  return lineFault(`line: ${how} ${place}`, { kind: 'break', how, where, chance: 0.1 })
}

function lineFault(name: string, trouble: Trouble): Fault {
  return {
    name,
    fits: () => true,
    inject({ engines }, pick) {
      const engine = oneOf(engines, pick)
      engine.line.setTrouble(trouble, pick)
      return Promise.resolve({
        what: `senders of ${engine.name}`,
        heal: () => {
          if (engine.line.trouble() === trouble) engine.line.setTrouble({ kind: 'none' }, pick)
          return Promise.resolve()
        },
      })
    },
  }
}
