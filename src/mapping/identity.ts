/**
 * The numbers that an order is known by, and the key of a step. Filler order
 * number, else placer order number, name the order within its authority; both may
 * stand in ORC or OBR.
 */
import type { Hl7Place } from '../core/fault.ts'
import type { OrderNumbers } from '../core/order.ts'
import type { Piece } from '../hl7/types.ts'
import { isFields, readFields, readTexts, scalarText } from './lint.ts'
import { refuseMisplaced } from './misplaced.ts'
import { hasValue, type Pieces } from './piece.ts'
import { isNamePlaceholder } from './placeholder.ts'
import { compileReference, type Source, type Vocabulary } from './reference.ts'
import { compileRule, type Rule } from './rule.ts'
import { fault, type Scene } from './scene.ts'

export interface Identity {
  /** Without the attributes that also find an order. */
  readonly numbers: (
    scene: Scene,
  ) => Omit<OrderNumbers, 'accessionNumber' | 'studyInstanceUid' | 'requestedProcedureId'>
  /** Undefined: the step's number in its order, from 1. */
  readonly step: Rule | undefined
  /** Where the number should have been. */
  readonly place: Hl7Place
}

export function compileIdentity(words: Vocabulary, value: unknown): Identity {
  const fields =
    value === undefined
      ? {}
      : readFields(words.lint, value, ['identity'], ['order', 'appointment', 'step', 'authority'])
  const order = fields['order'] ?? ['ORC-3', 'ORC-2']
  const placer: Source[] = []
  const filler: Source[] = []
  for (const { text, path } of readTexts(words.lint, order, ['identity', 'order'])) {
    const reference = compileReference(words, text, path)
    if (reference === undefined) continue
    const list = /^((ORC|OBR)-2|SCH-26)(\.1)?$/.test(text) ? placer : filler
    list.push(reference.source)
    // OBR repeats the numbers of ORC, and some senders fill only one of the two.
    const twin = /^ORC-[23](\.1)?$/.test(text) ? compileReference(words, text.replace('ORC', 'OBR'), path) : undefined
    if (twin !== undefined) list.push(twin.source)
  }
  const appointments = compileAppointments(words, fields['appointment'])
  const authority = compileAuthority(words, fields['authority'])
  refuseMisplaced(words.lint, fields['step'], ['identity', 'step'])
  const step = 'step' in fields ? compileRule(words, fields['step'], ['identity', 'step']) : undefined
  const place =
    'appointment' in fields ? { segment: 'SCH', occurrence: 1, field: 2 } : { segment: 'ORC', occurrence: 1, field: 3 }

  return {
    step,
    place,
    numbers(scene) {
      const placerOrderNumber = numberOf(placer, scene)
      const fillerOrderNumber = numberOf(filler, scene)
      const appointment = appointments(scene)
      return {
        authority: authority?.(scene) || scene.site.authority,
        ...(placerOrderNumber === undefined ? {} : { placerOrderNumber }),
        ...(fillerOrderNumber === undefined ? {} : { fillerOrderNumber }),
        ...appointment,
      }
    },
  }
}

/** SCH-1 is the placer's, everything else the filler's. */
function compileAppointments(
  words: Vocabulary,
  value: unknown,
): (scene: Scene) => Pick<OrderNumbers, 'placerAppointmentId' | 'fillerAppointmentId'> {
  if (value === undefined) return () => ({})
  const placer: Source[] = []
  const filler: Source[] = []
  for (const { text, path } of readTexts(words.lint, value, ['identity', 'appointment'])) {
    const reference = compileReference(words, text, path)
    if (reference !== undefined) (/^SCH-1(\.1)?$/.test(text) ? placer : filler).push(reference.source)
  }
  return (scene) => {
    const placerAppointmentId = numberOf(placer, scene)
    const fillerAppointmentId = numberOf(filler, scene)
    return {
      ...(placerAppointmentId === undefined ? {} : { placerAppointmentId }),
      ...(fillerAppointmentId === undefined ? {} : { fillerAppointmentId }),
    }
  }
}

function compileAuthority(words: Vocabulary, value: unknown): ((scene: Scene) => string) | undefined {
  if (value === undefined) return undefined
  const constant = isFields(value) ? scalarText(value['value']) : undefined
  if (constant !== undefined) return () => constant
  refuseMisplaced(words.lint, value, ['identity', 'authority'])
  const rule = compileRule(words, value, ['identity', 'authority'])
  return rule === undefined ? undefined : (scene) => firstText(rule.source(scene))
}

function numberOf(sources: readonly Source[], scene: Scene): string | undefined {
  for (const source of sources) {
    const pieces = source(scene)
    if (!hasValue(pieces)) continue
    const piece = pieces.find(({ isNull }) => !isNull) as Piece
    const text = piece.text.trim()
    if (isNamePlaceholder(text)) {
      scene.faults.push(fault('E305', 102, { keyword: 'The order number' }, piece.place))
      return undefined
    }
    if (text !== '') return text
  }
  return undefined
}

function firstText(pieces: Pieces): string {
  return hasValue(pieces) ? (pieces.find(({ isNull }) => !isNull) as Piece).text.trim() : ''
}
