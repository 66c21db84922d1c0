import { expect, test } from 'vitest'
import { unreadFields } from '../../src/cli/unread-fields.ts'
import { parse } from '../../src/hl7/index.ts'

const header = String.raw`MSH|^~\&|RIS|A|WL|B|20261016||ORM^O01|C1|P|2.3.1`

function unread(lines: readonly string[], map: object, others: object = {}): readonly string[] {
  const parsed = parse(Buffer.from([header, ...lines].join('\r')))
  if (parsed.kind !== 'message') throw new Error(parsed.kind)
  return unreadFields(parsed.message, { map, ...others }).map(({ path }) => path)
}

test.each<[what: string, lines: readonly string[], map: object, found: readonly string[]]>([
  ['a field that a rule reads whole', ['PID|1||A^B^C'], { PatientID: 'PID-3' }, []],
  ['a component', ['OBR|1|||X^Y^Z'], { RequestedProcedureID: 'OBR-4.1' }, ['OBR-4.2', 'OBR-4.3']],
  ['a field', ['PID|1||A||N^M'], { PatientID: 'PID-3' }, ['PID-5']],
  ['a segment, once', ['PID|1||A', 'NTE|1||Text|X'], { PatientID: 'PID-3' }, ['NTE']],
  ['another repetition', ['PID|1||A^^^^MR~B^^^^NI'], { PatientID: 'PID-3(5=MR)' }, ['PID-3(2)']],
  ['another segment of the name', ['OBX|1|NM|W||62', 'OBX|2|NM|H||168'], { PatientWeight: 'OBX(3.1=W)-5' }, ['OBX(2)']],
  ['what a condition of a rule reads', ['PID|1||A|B'], { PatientID: { from: 'PID-3', when: 'PID-4 != ""' } }, []],
  ['nothing but delimiters', ['PID|1||A|^^~^&'], { PatientID: 'PID-3' }, []],
  ['a segment of the site', ['ZDS|1.2^X'], { StudyInstanceUID: 'ZDS-1.1' }, ['ZDS-1.2']],
  ['a lower case segment', ['nte|1||Text'], {}, ['NTE']],
])('unread is told of %s', (_, lines, map, found) => {
  expect(unread(lines, map)).toEqual(found)
})

test('names of let are read through', () => {
  const others = { let: { patientId: 'PID-3(5=MR)' } }
  expect(unread(['PID|1||A^^^^MR'], { PatientID: 'patientId.1' }, others)).toEqual(['PID-3.5'])
})
