import { expect, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import type { Problem } from '../../src/core/fault.ts'
import { runVerb } from '../cli/an-io.ts'
import { procedures, sample } from '../mapping/sample.ts'
import { aSite, smallSite } from './a-site.ts'

/**
 * Mistakes that administrators make, each alone in a site that is right: `check` finds it
 * at its place, and its cure mends it. Where the cure names what was meant, it is
 * written there by a program; else by hand, as the cure says.
 */
const settings = 'config/worklane.yaml'
const table = 'config/tables/procedures.csv'
const pipeline = 'pipelines/orders/pipeline.yaml'
const tests = 'pipelines/orders/pipeline.test.yaml'

const site: Readonly<Record<string, string>> = {
  [settings]: `${smallSite[settings] ?? ''}timeZone: Europe/Berlin\ncompletion:\n  policy: quiet\n`,
  [table]: procedures,
  [pipeline]: sample,
  [tests]: String.raw`pipeline: orders
message: |
  MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1
  PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F
  ORC|NW|P1|F1||SC||^^^20260302101500
  OBR|1|P1|F1|CTABD^CT Abdomen||||||||||||||A1|R1|S1||||CT
tests:
  - name: one order gives one item
    set: { OBR-18: A2 }
    expect:
      effect: create
      items:
        - PatientName: Doe^Jane
          AccessionNumber: A2
  - name: an unknown code is refused
    set: { OBR-4.1: XX }
    expect: { error: E301 }
`,
}

interface Seed {
  readonly what: string
  readonly file: string
  /** What is right, and the mistake in its place. */
  readonly from: string
  readonly to: string
  /** The text in `to` at which it is found; default: its beginning. */
  readonly at?: string
  /** Another file, and the text there, at which it is found: where what is wrong is asked for. */
  readonly elsewhere?: { readonly file: string; readonly at: string }
  readonly code: string
  /** What the cure must say; default: what was meant, which then is written there. */
  readonly cure?: RegExp
  /** What the person writes who follows it, instead of `to`. */
  readonly mended?: string
}

const seed =
  (file: string) =>
  (what: string, from: string, to: string, rest: Omit<Seed, 'file' | 'what' | 'from' | 'to'>): Seed => ({
    file,
    what,
    from,
    to,
    ...rest,
  })
const inPipeline = seed(pipeline)
const inSettings = seed(settings)
const inTable = seed(table)
const inTests = seed(tests)
const accepting = 'when: facility in ["MAIN", "EAST"] && section != "LAB"'

/** The fifteen of the study by which the language was chosen. */
const studied: readonly Seed[] = [
  inPipeline('a keyword misspelt', 'PatientBirthDate:', 'PatientBithDate:', { code: 'E210' }),
  inPipeline('a wrong segment', 'PatientName: PID-5', 'PatientName: PDI-5', { at: 'PDI', code: 'E203' }),
  inPipeline('a field out of range', 'OBR-31.2', 'OBR-131', {
    code: 'E202',
    cure: /Look the field up/,
    mended: 'OBR-31',
  }),
  inPipeline('a path without its hyphen', 'PV1-8', 'PV18', { code: 'E212' }),
  inPipeline('a table misspelt', 'table: priority', 'table: prority', { at: 'prority', code: 'E208' }),
  inPipeline('a column misspelt', 'step.station_ae\n', 'step.station_aet\n', { at: 'station_aet', code: 'E204' }),
  inPipeline('a name misspelt', 'when: weightUnit ==', 'when: weigthUnit ==', { at: 'weigthUnit', code: 'E205' }),
  inPipeline('a condition that is no question', 'when: sex == "F"', 'when: sex', {
    at: 'sex',
    code: 'E209',
    cure: /name == "value"/,
    mended: 'when: sex == "F"',
  }),
  inPipeline('a bracket that is not closed', `${accepting}\n`, 'when: (section != "LAB"\n', {
    at: '\n',
    code: 'E211',
    cure: /brackets/,
    mended: `${accepting}\n`,
  }),
  inPipeline('a bare constant', 'ScheduledStationName: step.station_name', 'ScheduledStationName: CTROOM', {
    at: 'CTROOM',
    code: 'E201',
  }),
  inPipeline('a setting misspelt', 'orderControl:', 'orderControll:', { code: 'E206' }),
  inPipeline('a word of a rule misspelt', '{ from: PID-8, table: sex }', '{ from: PID-8, tabel: sex }', {
    at: 'tabel',
    code: 'E207',
  }),
  inPipeline('a conversion that nobody has to write, of a name', 'PatientName: PID-5', 'PatientName: pn(PID-5)', {
    at: 'pn(',
    code: 'E201',
  }),
  inPipeline(
    'a conversion that nobody has to write, of a date',
    'PatientBirthDate: PID-7',
    'PatientBirthDate: date(PID-7)',
    {
      at: 'date(',
      code: 'E201',
    },
  ),
  inPipeline(
    'a text given to a sequence',
    'RequestedProcedureCodeSequence: { code: [OBR-44, OBR-4], scheme: 99HOSP }',
    'RequestedProcedureCodeSequence: { from: OBR-4.1 }',
    {
      at: 'from',
      code: 'E207',
      cure: /The words are code, scheme, meaning/,
      mended: 'RequestedProcedureCodeSequence: { code: OBR-4.1 }',
    },
  ),
]

const others: readonly Seed[] = [
  inPipeline('an effect misspelt', 'CA: cancel', 'CA: cancle', { at: 'cancle', code: 'E216' }),
  inPipeline('a table file misspelt', 'file: procedures.csv', 'file: procedure.csv', {
    at: 'procedure.csv',
    code: 'E220',
  }),
  inPipeline('a source misspelt', 'from: ris-orders', 'from: ris-order', { at: 'ris-order', code: 'E266' }),
  inPipeline('a condition that is always true', accepting, 'when: section != "LAB" || section != "MIC"', {
    at: 'section',
    code: 'E227',
    cure: /All of several conditions: &&/,
    mended: 'when: section != "LAB" && section != "MIC" && facility == ""',
  }),
  inPipeline('a message type with a hyphen', '[ORM^O01]', '[ORM-O01]', {
    at: 'ORM-O01',
    code: 'E200',
    cure: /./,
    mended: '[ORM^O01]',
  }),
  inPipeline('a name that nothing uses', '  sex: PID-8', '  sex: PID-8\n  room: PV1-3', {
    at: 'room',
    code: 'E224',
    cure: /Remove it/,
    mended: '  sex: PID-8',
  }),
  inPipeline('a code that is a number with a zero before it', 'priority: { S: STAT,', 'priority: { S: STAT, X: 007,', {
    at: '007',
    code: 'E255',
    cure: /in quotes if it is a code/,
    mended: 'priority: { S: STAT, X: "007",',
  }),
  inPipeline('a quotation mark that is not closed', 'join: "-"', 'join: "-', {
    at: '"-',
    code: 'E250',
    cure: /./,
    mended: 'join: "-"',
  }),
  inPipeline(
    'an identifier that would be cut',
    'PatientID: PID-3(5=MR).1',
    'PatientID: { from: PID-3(5=MR).1, tooLong: truncate }',
    {
      at: 'truncate',
      code: 'E228',
      cure: /may be refuse here/,
      mended: 'PatientID: { from: PID-3(5=MR).1, tooLong: refuse }',
    },
  ),
  inSettings('a setting misspelt', 'orthancs:', 'orthacs:', { code: 'E258' }),
  inSettings('a word misspelt', 'policy: quiet', 'policy: quite', { at: 'quite', code: 'E259' }),
  inSettings('a port with its unit', 'port: 2575', 'port: 2575/tcp', {
    at: '2575/tcp',
    code: 'E259',
    cure: /./,
    mended: 'port: 2575',
  }),
  inSettings(
    'two listeners on one port',
    '    port: 2575\n',
    '    port: 2575\n  - name: second\n    port: 2575\n    destination: none\n',
    {
      at: '2575\n    destination',
      code: 'E263',
      cure: /another port/,
      mended: '    port: 2575\n',
    },
  ),
  inSettings('a line that a tab indents', '  stationAeTitle: CT01', '\tstationAeTitle: CT01', {
    at: '\t',
    code: 'E254',
    cure: /Indent with spaces/,
    mended: '  stationAeTitle: CT01',
  }),
  inSettings('a variable as a shell writes it', '${WORKLANE_RIS_PORT:-}', '$WORKLANE_RIS_PORT', {
    code: 'E259',
    cure: /A variable is written \$\{WORKLANE_RIS_PORT\}/,
    mended: '${WORKLANE_RIS_PORT:-}',
  }),
  inTable('a row with a cell too few', 'CTABD,1,CT,', 'CTABD,1,', {
    code: 'E221',
    cure: /Correct the CSV/,
    mended: 'CTABD,1,CT,',
  }),
  inTable('two steps of one key', 'PETCT,2,CT', 'PETCT,1,CT', {
    code: 'E226',
    cure: /its own value in the column/,
    mended: 'PETCT,2,CT',
  }),
  inTable('a column that is called otherwise', 'code,step,modality', 'code,step,modalitaet', {
    elsewhere: { file: pipeline, at: 'modality, OBR-24' },
    code: 'E204',
    cure: /The columns are code, step, modalitaet,/,
    mended: 'code,step,modality',
  }),
  inPipeline('refuse, where the word is reject', 'otherwise: reject', 'otherwise: refuse', {
    at: 'refuse',
    code: 'E289',
  }),
  inPipeline('a word of a table in capitals', 'otherwise: reject', 'otherwise: REJECT', { at: 'REJECT', code: 'E289' }),
  inPipeline('a word of another tool', '{ from: PID-8, table: sex }', '{ from: PID-8, lookup: sex }', {
    at: 'lookup',
    code: 'E207',
  }),
  inPipeline('a selector that means one or the other', 'PatientID: PID-3(5=MR).1', 'PatientID: PID-3(5=MR || 5=PI).1', {
    at: ' ||',
    code: 'E212',
    cure: /Did you mean \[PID-3\(5=MR\)\.1, PID-3\(5=PI\)\.1\]\?/,
    mended: 'PatientID: [PID-3(5=MR).1, PID-3(5=PI).1]',
  }),
  inPipeline(
    'a segment that is chosen behind its field',
    'weightUnit: OBX(3.1=29463-7)-6',
    'weightUnit: OBX-3(1=29463-7)-6',
    {
      at: '-6',
      code: 'E212',
      cure: /Did you mean OBX\(3\.1=29463-7\)-6\?/,
      mended: 'weightUnit: OBX(3.1=29463-7)-6',
    },
  ),
  inPipeline('a list in round brackets', 'in ["MAIN", "EAST"]', 'in ("MAIN", "EAST")', {
    at: '("MAIN',
    code: 'E211',
    cure: /Did you mean \["MAIN", "EAST"\]\?/,
    mended: 'in ["MAIN", "EAST"]',
  }),
  inPipeline('a function of JavaScript', 'section != "LAB"', 'section.toUpperCase() != "LAB"', {
    at: 'toUpperCase',
    code: 'E217',
    cure: /Did you mean upper\(name\)\?/,
    mended: 'upper(section) != "LAB"',
  }),
  inPipeline('a regular expression', 'section != "LAB"', '!like(section, "^LAB.*")', {
    at: '^LAB',
    code: 'E860',
    cure: /Did you mean LAB\*\?/,
    mended: '!like(section, "LAB*")',
  }),
  inPipeline('a number that is to be made, misspelt', '[OBR-18, ORC-3.1]', '{ from: OBR-18, otherwise: generate(A) }', {
    at: 'generate',
    code: 'E862',
    cure: /Did you mean `otherwise: generated\(A\)`\?/,
    mended: '{ from: OBR-18, otherwise: generated(A) }',
  }),
  inPipeline('a code that ORC-1 never has', '  NW: create', '  NX: create', {
    at: 'NX',
    code: 'E865',
  }),
  inPipeline('a name with a hyphen', '  section: OBR-24', '  section: OBR-24\n  my-room: PV1-3', {
    at: 'my-room',
    code: 'E231',
    cure: /Did you mean myRoom\?/,
    mended: '  section: OBR-24',
  }),
  inPipeline('a table file without its ending', 'file: procedures.csv', 'file: procedures', {
    at: 'procedures',
    code: 'E220',
  }),
  inPipeline('a block in small letters', 'orderControl:', 'ordercontrol:', { code: 'E206' }),
  inTable('two AE titles in one', 'CTABD,1,CT,CT01', 'CTABD,1,CT,CT01;CT02', {
    at: 'CT01;CT02',
    code: 'E863',
    cure: /Did you mean CT01\\CT02\?/,
    mended: 'CTABD,1,CT,CT01\\CT02',
  }),
  inSettings('a default in quotes', 'port: ${WORKLANE_RIS_PORT:-}', 'port: ${WORKLANE_RIS_PORT:-"2576"}', {
    at: '$',
    code: 'E870',
    cure: /Did you mean \$\{WORKLANE_RIS_PORT:-2576\}\?/,
    mended: 'port: ${WORKLANE_RIS_PORT:-}',
  }),
  inSettings('a page of Orthanc', 'http://127.0.0.1:8042', 'http://127.0.0.1:8042/app/explorer.html', {
    code: 'E259',
    cure: /Did you mean http:\/\/127\.0\.0\.1:8042\?/,
    mended: 'http://127.0.0.1:8042',
  }),
  inSettings('a modality that DICOM has otherwise', 'modality: CT', 'modality: CAT', { at: 'CAT', code: 'E290' }),
  inTests('the name of another pipeline', 'pipeline: orders', 'pipeline: patients', {
    at: 'patients',
    code: 'E871',
    cure: /Write `pipeline: orders`/,
    mended: 'pipeline: orders',
  }),
  inTests('a word of a test misspelt', '    set: { OBR-18', '    sett: { OBR-18', { at: 'sett', code: 'E206' }),
  inTests('a path that is none', 'OBR-18: A2', 'ORB-18: A2', { at: 'ORB', code: 'E203' }),
  inTests('an error that does not exist', 'error: E301', 'error: E3O1', { at: 'E3O1', code: 'E239' }),
  inTests('a keyword misspelt', '        - PatientName:', '        - PatientNam:', { at: 'PatientNam', code: 'E210' }),
]

async function problemsOf(files: Readonly<Record<string, string>>): Promise<readonly Problem[]> {
  const { cwd, remove } = aSite(files)
  try {
    const { stdout } = await runVerb(check, ['--json'], { cwd })
    return (JSON.parse(stdout) as { problems: readonly Problem[] }).problems
  } finally {
    remove()
  }
}

/** The text with what the cure names in the place of the word that is wrong; undefined where it names nothing. */
function mendedBy({ line, column, cure = '' }: Problem, text: string): string | undefined {
  const meant = /^Did you mean "?(.+?)"?\?$/.exec(cure)?.[1]
  const constant = /^Write (\{ value: .* \}) for a constant\.$/.exec(cure)?.[1]
  const right = meant ?? constant
  if (right === undefined) return undefined
  const lines = text.split('\n')
  const whole = lines[line - 1] ?? ''
  const rest = whole.slice(column - 1)
  // A word, or as much as belongs to a path, a file or a call where such a thing is meant.
  const word = (/[-.(]/.test(right) ? /^[\w.-]+(\([^)]*\))?/ : /^\w+/).exec(rest)?.[0] ?? ''
  lines[line - 1] = whole.slice(0, column - 1) + right + rest.slice(word.length)
  return lines.join('\n')
}

test('the site without a mistake has no problem', async () => {
  expect(await problemsOf(site)).toEqual([])
})

test('there are fifteen mistakes of the study, and fifteen others at least', () => {
  expect(studied).toHaveLength(15)
  expect(others.length).toBeGreaterThanOrEqual(15)
  expect(new Set(others.map(({ file }) => file)).size).toBe(4)
})

test.each([...studied, ...others].map((one) => [one.what, one.file.split('/').at(-1) ?? '', one] as const))(
  '%s (%s) is found at its place, and its cure mends it',
  async (_, __, { file, from, to, at, elsewhere, code, cure, mended }) => {
    const right = site[file] ?? ''
    expect(right).toContain(from)
    const wrong = right.replace(from, () => to)
    const problems = await problemsOf({ ...site, [file]: wrong })
    const start = wrong.indexOf(to) + (at === undefined ? to.length - to.trimStart().length : to.indexOf(at))
    const there = elsewhere === undefined ? undefined : (site[elsewhere.file] ?? '')
    const before = (there?.slice(0, there.indexOf(elsewhere?.at ?? '')) ?? wrong.slice(0, start)).split('\n')
    const place = { file: elsewhere?.file ?? file, line: before.length, column: (before.at(-1) ?? '').length + 1 }
    const found = problems.find((each) => each.code === code)
    expect(problems.length > 0 && found === undefined ? problems : found).toMatchObject({ ...place, code })
    if (cure !== undefined) expect(found?.cure).toMatch(cure)
    const whole = mended === undefined ? mendedBy(found as Problem, wrong) : wrong.replace(to, () => mended)
    expect(whole ?? `the cure names nothing: ${found?.cure}`).not.toBe(wrong)
    expect(await problemsOf({ ...site, [file]: whole ?? '' })).toEqual([])
  },
)
