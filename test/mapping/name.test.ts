import { expect, test } from 'vitest'
import { parse, pathOf, select } from '../../src/hl7/index.ts'
import { personName } from '../../src/mapping/name.ts'

function nameIn(path: string, field: string): string {
  const number = Number(/-(\d+)/.exec(path)?.[1])
  const parsed = parse(Buffer.from(`MSH|^~\\&|RIS\r${path.slice(0, 3)}${'|'.repeat(number)}${field}\r`))
  if (parsed.kind === 'unreadable') throw new Error(parsed.fault.code)
  return personName(select(parsed.message, pathOf(path))).value
}

const names = [
  { what: 'suffix and prefix change places', hl7: 'Doe^Jane^Q^Jr^Dr^MD', dicom: 'Doe^Jane^Q^Dr^Jr MD' },
  {
    what: 'A, I and P are three groups',
    hl7: 'Yamada^Taro^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P',
    dicom: 'Yamada^Taro=山田^太郎=やまだ^たろう',
  },
  { what: 'in any order', hl7: 'やまだ^^^^^^L^P~Yamada^^^^^^L^A~山田^^^^^^L^I', dicom: 'Yamada=山田=やまだ' },
  { what: 'the unmarked one is alphabetic', hl7: 'Yamada^Taro~山田^太郎^^^^^L^I', dicom: 'Yamada^Taro=山田^太郎' },
  { what: 'no alphabetic one at all', hl7: '山田^太郎^^^^^L^I~やまだ^^^^^^L^P', dicom: '=山田^太郎=やまだ' },
  { what: 'the first of each form counts', hl7: 'A^^^^^^^A~B^^^^^^^A~山^^^^^^^I', dicom: 'A=山' },
  { what: 'unmarked repetitions are other names', hl7: 'Doe^Jane~Roe^Mary', dicom: 'Doe^Jane' },
  {
    what: "DICOM's groups in one repetition",
    hl7: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
    dicom: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
  },
  { what: 'groups of many components', hl7: 'A^B^C^^Dr=山^太^花=や^た^は', dicom: 'A^B^C^Dr=山^太^花=や^た^は' },
  {
    what: 'a name type behind short groups is none of them',
    hl7: 'Hong^Gildong=洪^吉洞^^^^L',
    dicom: 'Hong^Gildong=洪^吉洞',
  },
  { what: 'a part that is null is empty', hl7: 'Doe^""^Q', dicom: 'Doe^^Q' },
  { what: 'a null repetition says nothing of the others', hl7: '""~Doe^Jane', dicom: 'Doe^Jane' },
  { what: 'sub-components of the family name', hl7: 'van Dyck&van&Dyck^Jan', dicom: 'van Dyck^Jan' },
  { what: 'a family name in parts alone', hl7: '&van der&Berg&de&Wit^Eva', dicom: 'van der Berg^Eva' },
  { what: "a partner's family name alone", hl7: '&&&de&Wit^Eva', dicom: 'de Wit^Eva' },
  { what: 'the maiden name is not the name', hl7: 'Roe^Mary^^^^^M~Doe^Mary^^^^^L', dicom: 'Doe^Mary' },
  { what: 'nor in any of its forms', hl7: 'R^^^^^^M^A~D^^^^^^L^A~山^^^^^^L^I', dicom: 'D=山' },
  { what: 'an alias, where nobody says what else', hl7: 'Roe^Mary^^^^^A~Doe^Mary', dicom: 'Roe^Mary' },
  { what: 'escaped signs', hl7: String.raw`O\T\B\F\C^D\X41\ `, dicom: 'O&B|C^DA' },
]
test.each(names)('PID-5: $what', ({ hl7, dicom }) => {
  expect(nameIn('PID-5', hl7)).toBe(dicom)
})

test('a physician has groups too (XCN-15)', () => {
  const form = (code: string) => `^^^^^^^^^^^${code}`
  expect(nameIn('OBR-16', `1^Yamada^Taro^${form('A')}~1^山田^太郎^${form('I')}`)).toBe('Yamada^Taro=山田^太郎')
  expect(nameIn('OBR-16', '1^Yamada^Taro~2^Suzuki^Hanako')).toBe('Yamada^Taro')
})
