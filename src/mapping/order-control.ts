/**
 * ORC-1, alone or with ORC-5, and what it does to the order: `NW: create`, `SC(IP): start`.
 * ORC-5 may be a code of the site's own (HL7 table 0038 is user-extended): `SC(ARRIVED): arrive`.
 */
import type { Effect } from '../core/message.ts'
import { isFields, scalarText, type Lint } from './lint.ts'
import { suggest } from './suggest.ts'

/** The words of `orderControl`, and what they mean. */
const meanings = {
  create: { effect: 'create' },
  createOnHold: { effect: 'create', holds: true },
  update: { effect: 'update' },
  updateOnHold: { effect: 'update', holds: true },
  updateAndRelease: { effect: 'update', holds: false },
  arrive: { effect: 'arrive' },
  ready: { effect: 'ready' },
  start: { effect: 'start' },
  complete: { effect: 'complete' },
  cancel: { effect: 'cancel' },
  discontinue: { effect: 'discontinue' },
  hold: { effect: 'hold' },
  release: { effect: 'release' },
  number: { effect: 'number' },
  ignore: { effect: 'ignore' },
} as const satisfies Readonly<Record<string, Meaning>>

interface Meaning {
  readonly effect: Effect
  readonly holds?: boolean
}

export type EffectWord = keyof typeof meanings
export const effects = Object.keys(meanings) as readonly EffectWord[]

/** What a group does, in the words of `orderControl`; an effect that no word has is its own word. */
export function effectWord({ effect, holds }: Meaning): string {
  const all: readonly (readonly [string, Meaning])[] = Object.entries(meanings)
  return all.find(([, meaning]) => meaning.effect === effect && meaning.holds === holds)?.[0] ?? effect
}

export interface Control {
  readonly effect: Effect | 'reject'
  /** The order is on hold, or no longer, whatever else happens to it. */
  readonly holds?: boolean
  /** The line of the table that decided: `NW`, `SC(IP)`, `otherwise`. */
  readonly rule: string
}

export type OrderControl = (orderControl: string, orderStatus: string) => Control

/** As other languages call the rest, and with blanks, which no code has. */
function meantCode(code: string): string | undefined {
  if (['default', 'else', '*', '_', 'other', 'others'].includes(code.toLowerCase())) return 'otherwise'
  const [, control = '', status] =
    /^\s*([A-Za-z0-9]{2})\s*[[({^|/,-]\s*([A-Za-z0-9_.-]{1,20})\s*[)\]}]?\s*$/.exec(code) ?? []
  if (status !== undefined) return `${control.toUpperCase()}(${status})`
  return /^[a-z0-9]{2}$/i.test(code.trim()) ? code.trim().toUpperCase() : suggest(code, ['otherwise'])
}

/** HL7 table 0119, of all versions. */
const hl7Codes = new Set(
  (
    'AC AF CA CH CN CP CR DC DE DF DR FU HD HR LI MC NA NR NW OC OD OE OF OH OK OP OR OU PA PR PY RC RE RF RL RO ' +
    'RP RQ RR RU SC SN SR SS UA UC UD UF UH UM UN UR UU UX XO XR XX'
  ).split(' '),
)
const usualCodes = ['NW', 'XO', 'CA', 'DC', 'SC', 'XX', 'OC', 'OD', 'HD', 'RL', 'NA']

export function compileOrderControl(lint: Lint, value: unknown): OrderControl {
  const rules = new Map<string, Control>()
  const known = [...effects, 'reject']
  if (!isFields(value)) {
    if (value === undefined) lint.error('E219', [], { name: 'orderControl' })
    else lint.error('E200', ['orderControl'], { where: 'orderControl', expected: 'a mapping such as { NW: create }' })
    return () => ({ effect: 'reject', rule: 'otherwise' })
  }
  for (const [code, given] of Object.entries(value)) {
    const path = ['orderControl', code]
    if (code !== 'otherwise' && !/^[A-Z0-9]{2}(\([A-Za-z0-9_.-]{0,20}\))?$/.test(code)) {
      const where = `orderControl.${code}`
      lint.error(
        'E200',
        path,
        { where, expected: 'ORC-1, or ORC-1(ORC-5)' },
        { of: 'key', suggestion: meantCode(code) },
      )
    } else if (code !== 'otherwise' && !code.startsWith('Z') && !hl7Codes.has(code.slice(0, 2)))
      lint.warn('E865', path, { text: code.slice(0, 2) }, { of: 'key', suggestion: suggest(code, usualCodes) })
    const name = scalarText(given) ?? ''
    const word = effects.find((each) => each === name)
    if (word !== undefined) rules.set(code, { ...meanings[word], rule: code })
    else if (name === 'reject') rules.set(code, { effect: 'reject', rule: code })
    else lint.error('E216', path, { name, known: known.join(', ') }, { known })
  }
  const otherwise = rules.get('otherwise') ?? { effect: 'reject', rule: 'otherwise' }
  return (orderControl, orderStatus) =>
    rules.get(`${orderControl}(${orderStatus})`) ?? rules.get(orderControl) ?? otherwise
}
