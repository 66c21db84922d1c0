import { expect, test } from 'vitest'
import { headedTable, painter, table } from '../../src/cli/output.ts'
import { whileWorking } from '../../src/cli/progress.ts'

test('headings stand over their columns, bold only on a terminal', () => {
  const rows = [['SCHEDULED', '20261016 1000', 'MR01']]
  const plain = 'STATUS     START          STATION\nSCHEDULED  20261016 1000  MR01\n'
  expect(headedTable(['STATUS', 'START', 'STATION'], rows, { isTty: false, env: {} })).toBe(plain)
  const [first, second] = headedTable(['STATUS', 'START', 'STATION'], rows, { isTty: true, env: {} }).split('\n')
  expect(first).toBe('\u001B[1mSTATUS     START          STATION\u001B[0m')
  expect(second).toBe('SCHEDULED  20261016 1000  MR01')
})

test('the key of a study keeps its columns; what is far longer pushes only its own row', () => {
  const key = 'orthanc/2f369924-5baa5f11-3059f1e3-d848ed10-b0dba54a'
  const rows = [
    ['STUDY', 'CREDIT'],
    [key, 'matched'],
    ['x'.repeat(100), 'matched'],
  ]
  const at = table(rows)
    .split('\n')
    .map((line) => line.search(/CREDIT|matched/))
  expect(at.slice(0, 3)).toEqual([key.length + 2, key.length + 2, 102])
})

test.each([
  ['a terminal', { isTty: true, env: {} }, '\u001B[31mno\u001B[0m'],
  ['a terminal with NO_COLOR', { isTty: true, env: { NO_COLOR: '1' } }, 'no'],
  ['a terminal with an empty NO_COLOR', { isTty: true, env: { NO_COLOR: '' } }, '\u001B[31mno\u001B[0m'],
  ['a file', { isTty: false, env: {} }, 'no'],
])('colours: %s', (_, io, shown) => {
  expect(painter(io).red('no')).toBe(shown)
})

test('long work is shown where standard error is a terminal, whatever standard output is, and taken away', async () => {
  const said = async (tty: { isTty: boolean; isErrorTty?: boolean }): Promise<string> => {
    let text = ''
    const io = { ...tty, stderr: (more: string) => void (text += more) }
    expect(await whileWorking(io, 'copying the store', () => Promise.resolve(7))).toBe(7)
    await expect(whileWorking(io, 'copying', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    return text
  }
  expect(await said({ isTty: true, isErrorTty: false })).toBe('')
  const shown = await said({ isTty: false, isErrorTty: true })
  expect(shown).toContain('copying the store ... 0 s')
  expect(shown.endsWith('\r\u001B[K')).toBe(true)
})
