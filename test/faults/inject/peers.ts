import type { Break, Line, Trouble, Where } from './line.ts'
import { oneOf } from './processes.ts'
import { risModes, type RisMode } from './ris.ts'
import type { Fault, Injected, Pick } from './types.ts'

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
  lineFault('line: silent', { kind: 'silent' }),
  lineFault('line: down', { kind: 'down' }),
]

/** The network between an engine and Orthanc, either way: refused, or no answer to anything. */
export const orthancLineFaults: readonly Fault[] = (['rest', 'plugin'] as const).flatMap((which) =>
  (['down', 'silent'] as const).map((kind): Fault => {
    const name = which === 'rest' ? 'from engines to orthanc' : 'from the plugin to its engine'
    return {
      name: `network ${name}: ${kind}`,
      fits: ({ worklistDir }) => which === 'rest' || worklistDir === undefined,
      inject: (world, pick) => Promise.resolve(troubled(world[which], { kind }, pick, name)),
    }
  }),
)

/** One engine and the site's Redis do not reach each other, though both live; what was on its way when it went silent arrives late. */
export const storeLineFaults: readonly Fault[] = (['down', 'silent'] as const).map((kind): Fault => ({
  name: `network from an engine to redis: ${kind}`,
  fits: ({ redis }) => redis !== undefined,
  inject({ engines }, pick) {
    const { name, store } = oneOf(engines, pick)
    if (store === undefined) throw new Error('this engine has a Redis of its own')
    return Promise.resolve(troubled(store, { kind }, pick, name))
  },
}))

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
      return Promise.resolve(troubled(engine.line, trouble, pick, `senders of ${engine.name}`))
    },
  }
}

function troubled(line: Line, trouble: Trouble, pick: Pick, what: string): Injected {
  line.setTrouble(trouble, pick)
  return {
    what,
    heal: () => {
      // Another trouble that came since has the say.
      if (line.trouble() === trouble) line.setTrouble({ kind: 'none' }, pick)
      return Promise.resolve()
    },
  }
}
