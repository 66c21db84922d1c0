import { expect, test } from 'vitest'
import { order } from '../../support/message.ts'
import { eventually } from '../../support/temporary.ts'
import { storeLineFaults } from './peers.ts'
import type { EngineInWorld } from './types.ts'
import { startWorld } from './world.ts'
import { insist, openWire } from './wire.ts'

test.each(storeLineFaults)(
  'I1, I3: $name: it takes nothing, the other takes over, and what it still had under way changes nothing',
  async (fault) => {
    const world = await startWorld({ engines: 2 })
    try {
      const [apart, other] = world.engines as [EngineInWorld, EngineInWorld]
      const moved = (accession: string, start: string): string => order({ control: 'XO', accession, start })
      for (let n = 0; n < 5; n++)
        expect((await insist(apart.line.port, order({ accession: `N${n}`, start: '202703010800' }))).code).toBe('AA')
      // Which of them applies is not known: one of the two cases is the interesting one, in either the rest must hold.
      const late = Array.from({ length: 5 }, (_, n) => moved(`N${n}`, '202703020900'))
      const under = late.map((text) => openWire(apart.line.port).then((wire) => ({ wire, text })))
      const wires = await Promise.all(under)
      const { heal } = await fault.inject(world, () => 0)
      const answers = await Promise.allSettled(
        wires.map(({ wire, text }) => wire.exchange(text, 8).finally(() => wire.close())),
      )
      expect(answers.map(({ status }) => status)).toEqual(wires.map(() => 'rejected'))
      for (let n = 0; n < 5; n++)
        expect((await insist(other.line.port, moved(`N${n}`, '202703031000'))).code).toBe('AA')
      const waiting = async ({ process }: EngineInWorld): Promise<number> =>
        (await process.api<{ total: number }>('/api/messages?state=waiting&limit=1')).total
      await eventually(async () => (await waiting(other)) === 0, 'the other takes over')
      await heal()
      await eventually(async () => (await waiting(apart)) === 0, 'the one that was apart is back')
      // Its senders send again what nobody acknowledged: those are the newest now, whatever had arrived of them before.
      for (const text of late) expect((await insist(apart.line.port, text)).code).toBe('AA')
      for (const engine of world.engines) {
        await eventually(async () => (await waiting(engine)) === 0, 'everything is applied')
        await eventually(async () => (await startsOf(engine)).length === 5, 'five items')
      }
      const [one, two] = await Promise.all(world.engines.map(startsOf))
      expect(one).toEqual(two)
    } finally {
      await world.end()
    }
  },
)

async function startsOf({ process }: EngineInWorld): Promise<readonly string[]> {
  const { items } = await process.api<{ items: { dataset: Record<string, unknown> }[] }>('/api/worklist?limit=200')
  const starts = items.map(({ dataset }) => {
    const [step] = dataset['ScheduledProcedureStepSequence'] as readonly Record<string, string>[]
    return `${dataset['AccessionNumber'] as string} ${step?.['ScheduledProcedureStepStartDate']}`
  })
  return starts.sort()
}
