import { array, assert, constantFrom, nat, option, property, record, string } from 'fast-check'
import { expect, test } from 'vitest'
import { orthancChanges } from '../../src/core/orthanc-change.ts'
import { stepStatuses } from '../../src/core/order.ts'
import { parse } from '../../src/hl7/index.ts'
import { compileStatus } from '../../src/mapping/index.ts'
import { statusEvents } from '../../src/mapping/status-event.ts'
import { anEvent, anOrder, aSeries, aStudy } from './status-support.ts'
import { shipped } from './support.ts'

const forms = ['status', 'status-orm-minimal', 'status-omg', 'status-omi', 'status-oru']
const names = ['ris', ...forms.map((form) => `to-${form}`)]
const { plan } = compileStatus({
  pipelines: forms.map((form) => shipped(`pipelines/${form}/pipeline.yaml`)),
  tables: {},
  timeZone: 'Europe/Berlin',
  destinations: names,
  origins: Object.fromEntries(names.map((name) => [name, name])),
  forms: Object.fromEntries(forms.map((form) => [`to-${form}`, form])),
})

const text = string({ unit: 'binary', maxLength: 12 })
const headers = constantFrom(
  '',
  'MSH',
  'MSH|',
  String.raw`MSH|^~\&|`,
  String.raw`MSH|^~\&|A|B|C|D|2026||ORM^O01|1|P|2.3.1`,
  'MSH#$*/@#A',
)
const lines = array(constantFrom('PID', 'PV1', 'ORC', 'OBR', 'ZDS', ''), { maxLength: 6 })

const events = record({
  kind: constantFrom(...statusEvents),
  source: constantFrom(...names, 'unknown', '__proto__'),
  header: headers,
  lines,
  filling: array(text, { maxLength: 12 }),
  value: text,
  status: constantFrom(...stepStatuses),
  hasOrder: constantFrom(true, true, true, false),
  study: option(record({ date: text, time: text, instances: nat(500) })),
  at: constantFrom('2026-10-16T08:45:00.000Z', '2026-03-29T01:00:00.000Z', '2026-10-25T00:59:59.999Z'),
})

test('whatever happens to whatever order, a status message can be read, goes to its origin alone, and is the same again', () => {
  assert(
    property(events, (given) => {
      const received = [given.header, ...given.lines.map((name) => [name, ...given.filling].join('|'))].join('\r')
      const order = anOrder({
        source: given.source,
        received,
        request: { AccessionNumber: given.value, RequestedProcedureDescription: given.value },
        steps: [
          {
            key: '1',
            stepStatus: given.status,
            stations: [given.value],
            flags: [],
            attributes: { PatientName: given.value },
          },
        ],
      })
      const { study } = given
      const series = study && [
        aSeries({ studyDate: study.date, studyTime: study.time, instances: study.instances, modality: given.value }),
      ]
      const change = orthancChanges.find((each) => each === given.kind)
      const event = anEvent(given.kind, {
        at: given.at,
        order: given.hasOrder ? order : undefined,
        study: series === null ? undefined : aStudy(series),
        ...(change === undefined
          ? {}
          : { row: { change, level: '', resource: given.value, study: '', at: given.value } }),
      })
      const messages = plan?.render(event) ?? []
      expect(messages.length).toBeLessThanOrEqual(1)
      expect(plan?.render(event)).toEqual(messages)
      for (const { endpoint, bytes } of messages) {
        expect(endpoint).toBe(given.source)
        const parsed = parse(bytes)
        expect(parsed.kind).toBe('message')
        if (parsed.kind !== 'message') continue
        for (const { name, raw } of parsed.message.segments) {
          expect(raw).not.toMatch(/[\x00-\x1f]/)
          expect(['MSH', 'PID', 'PV1', 'ORC', 'TQ1', 'OBR', 'OBX', 'IPC', 'ZDS']).toContain(name)
        }
      }
    }),
    { numRuns: 400 },
  )
})
