/** What engineers write who know other tools: each is refused or warned of at its character, with what is meant here. */
import { expect, test } from 'vitest'
import { located, message, planOf, compile, shipped, shippedTables } from './support.ts'
import { extend } from '../../src/mapping/extend.ts'

const orders = shipped('pipelines/orders/pipeline.yaml')

function extension(text: string) {
  return extend(located(`pipeline: t\nextend: orders\nfrom: ris-orders\n${text}\n`, 't.yaml'), orders, 'orders').located
}

/** `at`: where the problem stands. Each wrong line stands alone in an extension of the shipped pipeline. */
function problemsOf(text: string) {
  return compile([extension(text)], { tables: shippedTables(), stationAeTitle: 'ANY' }).problems
}

const said = (rule: string) => `map: { PatientComments: ${rule} }\nlet: { sex: PID-8, name: PID-5 }`

const mistakes: readonly (readonly [text: string, at: string, code: string, cure: RegExp])[] = [
  [said(`"msg['PID']['PID.5']['PID.5.1']"`), `"msg`, 'E212', /Did you mean PID-5\.1\?/],
  [said('/.PID-5-1'), '/.PID', 'E212', /Did you mean PID-5\.1\?/],
  [said('PID-5-1'), '-1', 'E212', /Did you mean PID-5\.1\?/],
  [said('"PID-3[2].1"'), '[2]', 'E212', /Did you mean PID-3\(2\)\.1\?/],
  [said('"PID-5 "'), '"PID', 'E212', /Did you mean PID-5\?/],
  [said('" PID-5"'), '" PID', 'E212', /Did you mean PID-5\?/],
  ['let: { accession: [OBR-20, accession] }', 'accession', 'E232', /that orders has there, IPC-1, OBR-18/],
  ['let: [accession: OBR-20]', '[acc', 'E200', /./],
  ['map: [PatientName: PID-5]', '[Pat', 'E200', /./],
  ['tables: [a]', '[a', 'E200', /./],
  [said('PID.3.4.1'), 'PID.3', 'E212', /Did you mean PID-3\.4\.1\?/],
  [said('PID-3(5=MR & 4.1=HOSP).1'), ' & 4', 'E212', /PID-3/],
  [said('"PID-3(5=MR, 4.1=HOSP).1"'), ', 4', 'E212', /PID-3/],
  [said('{ from: PID-5, otherwise: PID-9.1 }'), 'PID-9.1 }', 'E297', /from: \[OBR-44, PID-9\.1\]/],
  [said('{ value: name }'), 'name }', 'E297', /name/],
  [said('{ from: PID-5, otherwise: [PID-9.1] }'), '[PID', 'E200', /./],
  [said(`{ from: PID-5, when: 'sex = "F"' }`), '= "F', 'E211', /Did you mean ==\?/],
  [said(`{ from: PID-5, when: 'sex == "F and M" and name != "or"' }`), 'and name', 'E211', /Did you mean &&\?/],
  [said(`{ from: PID-5, when: 'sex == "F" OR name == ""' }`), 'OR', 'E211', /Did you mean \|\|\?/],
  [said(`{ from: PID-5, when: 'sex not in ["F"]' }`), 'not in', 'E211', /!\(name in/],
  [said(`{ from: PID-5, when: 'not sex == "F"' }`), 'not', 'E211', /Did you mean !\?/],
  [said(`{ from: PID-5, when: 'sex <> "F"' }`), '<>', 'E211', /Did you mean !=\?/],
  [said(`{ from: PID-5, when: 'name.1 == "F"' }`), 'name.1', 'E211', /let: \{ field: name\.1 \}/],
  [said(`{ expr: 'sex == "F"' }`), 'sex == ', 'E298', /when:/],
  [said(`{ from: PID-5, when: 'has(sex)' }`), 'has', 'E217', /Did you mean name != ""\?/],
  [said(`{ from: PID-5, when: '!sex' }`), '!sex', 'E223', /Did you mean name == ""\?/],
  [said(`{ from: PID-5, when: 'sex.like("F*")' }`), 'sex.like', 'E223', /Did you mean like\(name, "CT\*"\)\?/],
  [said(`{ from: PID-5, when: 'sex in "F,M"' }`), 'sex in', 'E223', /name in \["F", "M"\]/],
  [said(`{ from: PID-5, when: 'sex == "F" && sex == 1' }`), "1' }", 'E223', /Did you mean "1"\?/],
  [said(`{ from: PID-5, when: 'sex != null' }`), 'sex != ', 'E223', /Did you mean name != ""\?/],
  [said(`{ from: PID-5, when: 'sex in ("F", "M")' }`), '("F"', 'E211', /Did you mean \["F", "M"\]\?/],
  [said(`{ from: PID-5, when: 'sex == “F”' }`), '“F', 'E211', /straight/],
  [said(`{ from: PID-5, when: 'sex == "F" & name == ""' }`), '& name', 'E211', /Did you mean &&\?/],
  [said(`{ from: PID-5, when: 'sex =~ "F"' }`), '=~', 'E211', /Did you mean like/],
  [said(`{ from: PID-5, when: 'name.matches("^F.*")' }`), 'matches', 'E217', /Did you mean like\(name, "CT\*"\)\?/],
  [said(`{ from: PID-5, when: 'name.startswith("F")' }`), 'startswith', 'E217', /name\.startsWith\("CT"\)/],
  [said(`{ from: PID-5, when: 'lik(name, "F*")' }`), 'lik', 'E217', /like\(name/],
  [said(`{ from: PID-5, when: 'like(name, "^F.*$")' }`), '^F', 'E860', /Did you mean F\*\?/],
  [said(`{ from: PID-5, when: 'like(name, "F%")' }`), 'F%', 'E860', /Did you mean F\*\?/],
  [said(`{ expr: 'name.substring(0, 3)' }`), 'substring', 'E217', /left\(name, 3\)/],
  [said(`{ expr: 'name.upper()' }`), 'name.upper', 'E223', /Did you mean upper\(name\)\?/],
  [said(`PID-3(5=MR || 5=PI).1`), ' ||', 'E212', /Did you mean \[PID-3\(5=MR\)\.1, PID-3\(5=PI\)\.1\]\?/],
  [said(`PID-3(5=MR || PI).1`), ' ||', 'E212', /Did you mean \[PID-3\(5=MR\)\.1, PID-3\(5=PI\)\.1\]\?/],
  [said(`PID-3(5='MR').1`), `'MR`, 'E212', /Did you mean PID-3\(5=MR\)\.1\?/],
  [said('OBX-3(1=29463-7)-5'), '-5', 'E212', /Did you mean OBX\(3\.1=29463-7\)-5\?/],
  [said('OBX-5(3.1=29463-7)'), 'OBX-5', 'E861', /Did you mean OBX\(3\.1=29463-7\)-5\?/],
  [said('sender.ip'), 'sender.ip', 'E201', /Did you mean sender\.address\?/],
  [said('step.room'), 'step.room', 'E208', /each: \{ order: ORC, step: stations\(OBR-4\.1\) \}/],
  [said('{ from: PID-5, default: x }'), 'default', 'E207', /Did you mean otherwise\?/],
  [said('{ from: PID-5, if: sex }'), 'if:', 'E207', /Did you mean when\?/],
  [said('{ field: PID-5 }'), 'field', 'E207', /Did you mean from\?/],
  [said('{ constant: A }'), 'constant', 'E207', /Did you mean value\?/],
  [said('{ from: PID-5, value: A }'), '{ from: PID-5', 'E200', /`otherwise` instead of `value`/],
  [said('{ from: sex, table: stations }'), 'stations', 'E200', /Did you mean stations\.station_ae\?/],
  [said('{ from: sex, table: sex.code }'), 'code }', 'E204', /Did you mean sex\?/],
  ['tables: { stations: { file: stations, key: modality } }', 'stations, key', 'E220', /Did you mean stations\.csv\?/],
  ['tables: { stations: { file: config/tables/stations.csv } }', 'config/', 'E220', /Did you mean stations\.csv\?/],
  ['let: { my-room: PV1-3 }', 'my-room', 'E231', /Did you mean myRoom\?/],
  ['each: { order: ORC-1, step: IPC }', 'ORC-1', 'E200', /Did you mean ORC\?/],
  ['orderControl: { NX: create }', 'NX', 'E865', /Did you mean NW\?/],
  ['orderControl: { "NW[HD]": create }', '"NW[', 'E200', /Did you mean NW\(HD\)\?/],
  ['map: { ReasonForStudy: OBR-31 }', 'ReasonForStudy', 'E864', /Did you mean ReasonForTheRequestedProcedure\?/],
  ['map: { AccessionNumber: { from: OBR-18, otherwise: generate(RAD) } }', 'generate', 'E862', /generated\(RAD\)/],
  ['map: { StudyInstanceUID: { from: ZDS-1, otherwise: 1.2.3 } }', '1.2.3', 'E862', /otherwise: uid/],
  ['map: { PatientID: { from: PID-3.1, otherwise: UNKNOWN } }', 'UNKNOWN', 'E862', /./],
  ['map: { PatientWeight: { from: OBX-5, unit: { value: kilu } } }', 'kilu', 'E218', /./],
  ['map: { RequestedProcedureCodeSequence: { code: OBR-4, scheme: 99HOSP-OF-RADIOLOGY } }', '99HOSP', 'E218', /./],
  [
    'let: { modality: { from: OBR-24, table: ours } }\ntables: { ours: { Sono: UZ } }',
    'UZ',
    'E290',
    /Did you mean US\?/,
  ],
  ['each: { order: ORC, step: [stations(OBR-24)] }', '[stations', 'E200', /./],
  ['each: { order: ORC, step: "stations([OBR-24, OBR-4])" }', '[OBR-24', 'E201', /let: \{ code: \[OBR-24, OBR-4\] \}/],
  [
    `${said('{ from: sex, table: mine }')}\ntables: { mine: { F: F, otherwize: O } }`,
    'otherwize',
    'E299',
    /Did you mean otherwise\?/,
  ],
  [
    `${said('{ from: sex, table: mine }')}\ntables: { mine: { F: F, default: O } }`,
    'default',
    'E299',
    /Did you mean otherwise\?/,
  ],
  ['orderControl: { default: ignore }', 'default', 'E200', /Did you mean otherwise\?/],
  ['orderControl: { SC (IP): start }', 'SC (', 'E200', /Did you mean SC\(IP\)\?/],
  ['orderControl: { nw: create }', 'nw', 'E200', /Did you mean NW\?/],
  ['accept: { messages: [ORM-O01] }', 'ORM-O01', 'E200', /Did you mean ORM\^O01\?/],
  ['accept: { messages: [orm^o01^orm_o01] }', 'orm^', 'E200', /Did you mean ORM\^O01\?/],
]

test.each(mistakes)('%s', (text, at, code, cure) => {
  const lines = text.slice(0, text.indexOf(at)).split('\n')
  const [problem, ...more] = problemsOf(text).filter((each) => each.code !== 'E224' || !text.startsWith('map'))
  expect(problem).toMatchObject({ code, line: lines.length + 3, column: (lines.at(-1) ?? '').length + 1 })
  expect(problem?.cure).toMatch(cure)
  expect(more).toEqual([])
})

test('a table that is written out takes the place of one of a file, with all of its rows', () => {
  const text = `let: { station: { from: modality, table: stations } }
tables: { stations: { MR: MR01, otherwise: next } }
map: { ScheduledProcedureStepSequence: { ScheduledStationName: IPC-6, ScheduledProcedureStepLocation: IPC-8 } }`
  const found = problemsOf(text).filter(({ severity }) => severity === 'error')
  expect(found.map(({ code, line }) => [code, line])).toEqual([['E204', expect.any(Number)]])
  expect(found[0]?.message).toContain('So it is in t.yaml')
  const whole = text.replace('ScheduledStationName:', 'ScheduledStationAETitle: station, ScheduledStationName:')
  expect(problemsOf(whole)).toEqual([])
})

test('a name in a condition that cannot be read is not said to be unused', () => {
  expect(
    problemsOf(`map: { PatientComments: { from: PID-5, when: 'sexx = "F"' } }\nlet: { sexx: PID-8 }`),
  ).toHaveLength(1)
})

test('constants that only look a little like fields are constants', () => {
  const texts = ['CT-1', 'ABC-12', 'A-B', 'PID', 'PID-', 'Z-1', 'CT01', 'see PID-5', 'MR1-2']
  const list = texts.map((text) => `{ value: "${text}", when: 'sex == "${text}"' }`).join(', ')
  expect(problemsOf(`map: { PatientComments: [${list}] }\nlet: { sex: PID-8 }`)).toEqual([])
})

test('explain names the field of which each repetition was taken', () => {
  const plan = planOf([extension('map: { OtherPatientIDsSequence: { each: PID-3, PatientID: PID-3.1 } }')], {
    tables: shippedTables(),
    stationAeTitle: 'ANY',
  })
  const { lines } = plan.explain(
    message(
      String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
      'PID|1||4711^^^HOSP^MR~999^^^NAT^NI||Doe^Jane||19800214|F',
      'ORC|NW|P1|F1',
      'OBR|1|P1|F1|CTABD^CT||||||||||||||ACC1|RP1|SPS1||||CT||||||||||||20260302101500',
    ),
  )
  const line = lines.find(({ keyword }) => keyword === 'OtherPatientIDsSequence')
  expect(line?.value).toContain('999')
  expect(line?.origin).not.toContain('is empty')
})
