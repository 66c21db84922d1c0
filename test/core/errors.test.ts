import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { errors } from '../../src/core/errors/index.ts'

/** The catalogue of errors, its documentation and the code that shows them are one. */
const root = resolve(import.meta.dirname, '../..')
const catalogue = 'src/core/errors'

function filesIn(folder: string): readonly { readonly file: string; readonly text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|py|lua)$/.test(name))
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') }))
}

const code = [...filesIn('src'), ...filesIn('connectors')]
  .filter(({ file }) => !file.startsWith(`${catalogue}/`))
  .map(({ file, text }) => ({ file, text: text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '') }))
const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8')
const codes = Object.keys(errors).sort()

test('every code that the programs name is in the catalogue', () => {
  const unknown = code
    // Where the page begins and ends a chapter, no error is meant.
    .filter(({ file }) => file !== 'src/config/reference.ts')
    .flatMap(({ file, text }) => (text.match(/\bE\d{3}\b/g) ?? []).map((name) => `${file}: ${name}`))
    .filter((one) => !codes.includes(one.slice(-4)))
  expect(unknown).toEqual([])
})

test('every entry of the catalogue is shown by some program', () => {
  const named = new Set(code.flatMap(({ text }) => text.match(/\bE\d{3}\b/g) ?? []))
  expect(codes.filter((name) => !named.has(name))).toEqual([])
})

test('what is said of a group of dead letters holds for each of them: its cure names no value of one', () => {
  const ofLetters = Object.entries(errors).filter(([name]) => /^E[1367]/.test(name))
  expect(ofLetters.filter(([, { cure }]) => /\{\w+\}/.test(cure)).map(([name]) => name)).toEqual([])
})

test('no code stands twice in the catalogue: the second would take the place of the first', () => {
  const declared = filesIn(catalogue).flatMap(({ text }) =>
    [...text.matchAll(/^ {2}(E\d{3}): entry\(/gm)].map(([, name = '']) => name),
  )
  expect(declared.length).toBeGreaterThan(200)
  expect(declared.toSorted()).toEqual(codes)
})

test('every entry has its place on the page, once, with its sentence and its cure', () => {
  const headings = [...page.matchAll(/^### (E\d{3})$/gm)].map(([, name = '']) => name)
  expect(headings).toEqual(codes)
  const wrong = Object.entries(errors).filter(([name, { message, cure }]) => {
    const [, entry = ''] = page.split(`### ${name}\n`)
    const own = entry.split(/^##/m)[0] ?? ''
    return !own.includes(message) || !own.includes(cure)
  })
  expect(wrong.map(([name]) => name)).toEqual([])
})

test('every sentence ends, and every cure says what to do', () => {
  const endless = Object.entries(errors).filter(
    ([, { message, cure }]) => cure.length < 8 || !/[.!?]$/.test(cure) || /^\s|\s$/.test(message + cure),
  )
  expect(endless.map(([name]) => name)).toEqual([])
})

test('what a sentence and a cure name is given where the error is thrown', () => {
  const thrown = code.flatMap(({ file, text }) =>
    [...text.matchAll(/\bnew EngineError\('(E\d{3})'(?:\)|, (\{[^{}]*\})(?:\)|, \{))/g)].map(
      ([, name = '', params = '']) => ({
        file,
        name,
        params,
      }),
    ),
  )
  expect(thrown.length).toBeGreaterThan(80)
  const lacking = thrown.flatMap(({ file, name, params }) => {
    const { message, cure } = errors[name as keyof typeof errors]
    if (params.includes('...')) return []
    const given = new Set([...params.matchAll(/[{,]\s*(\w+)/g)].map(([, key = '']) => key))
    const wanted = [...`${message} ${cure}`.matchAll(/(?<!\$)\{(\w+)\}/g)].map(([, key = '']) => key)
    return wanted.filter((key) => !given.has(key)).map((key) => `${file}: ${name} lacks ${key}`)
  })
  expect(lacking).toEqual([])
})
