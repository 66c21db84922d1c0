import { basename } from 'node:path'
import type { PipelineFile } from '../config/pipelines.ts'
import type { FilePlace } from '../core/fault.ts'
import { lacksOf } from '../core/lack.ts'
import type { OrderGroup, PatientAct, PlannedStep } from '../core/message.ts'
import { effectWord } from '../mapping/order-control.ts'
import type { ExplainLine } from '../mapping/types.ts'
import { faultText } from './fault-text.ts'
import type { Dry } from './map.ts'
import { counted, painter, table, type Io } from './output.ts'
import type { Unread } from './unread-fields.ts'

/** Where it is shown, and whether with what has no value. */
export interface Screen {
  readonly io: Io
  readonly showsAll: boolean
  /** The pipeline's own: rules elsewhere are shown with their folder. */
  readonly file?: string
}

/** `pipeline.yaml:43:3` */
export function ruleText({ file, line, column }: FilePlace, own: string | undefined): string {
  return `${file === own ? basename(file) : file}:${line}:${column}`
}

/** One dry run for a person: the answer, the items with the origin of each value, and the acknowledgment as the sender gets it. */
export function runText(
  { file: messageFile, number, controlId, judgement, acknowledgment, taker, unread }: Dry,
  pipeline: PipelineFile,
  { io, showsAll }: Screen,
): string {
  const screen = { io, showsAll, file: pipeline.located.file }
  const paint = painter(io)
  const { file } = pipeline.located
  const { verdict, lines, type } = judgement
  // What the sender hears is what the taker says of it.
  const tone = verdict.kind === 'invalid' || (taker !== undefined && taker.code !== 'AA') ? paint.red : paint.green
  const head = `${paint.bold(`${messageFile}, message ${number}`)}  ${type} ${controlId}  ${tone(taker?.code ?? acknowledgment.code)}`
  const answer = acknowledgment.text
    .split('\r')
    .filter((segment) => segment !== '')
    .map((segment) => `  ${paint.dim(segment)}\n`)
    .join('')
  switch (verdict.kind) {
    case 'ignored':
      if (taker !== undefined)
        return `${head}  left out by ${verdict.rule}; the engine asks ${taker.pipeline}, which answers ${taker.code}\n`
      return `${head}  ignored by ${verdict.rule}\n${answer}`
    case 'invalid':
      return `${head}  refused\n${verdict.faults.map((fault) => faultText(fault, io)).join('')}${answer}`
    case 'accepted': {
      const groups = verdict.groups.map((group, at) =>
        groupText(
          group,
          lines.filter((line) => line.group === at),
          screen,
        ),
      )
      const warnings = verdict.warnings.map((fault) => faultText(fault, io)).join('')
      const patients = (verdict.patients ?? []).map((act, at) =>
        actText(
          act,
          lines.filter((line) => line.group === at),
          screen,
        ),
      )
      const rest = unreadText(unread, screen)
      return `${head}  accepted by ${file}\n${warnings}${groups.join('')}${patients.join('')}${rest}${answer}`
    }
  }
}

/** Where a value that nobody sees might be looked for: names alone, unless all is asked for. */
function unreadText(unread: readonly Unread[], { io, showsAll }: Screen): string {
  const paint = painter(io)
  const whole = unread.filter(({ isPart }) => !isPart)
  if (showsAll && unread.length > 0) {
    const rows = unread.map(({ path, value }) => [path, value.length > widest ? `${value.slice(0, widest)}…` : value])
    return `  no rule reads:\n${table(rows, '    ')}`
  }
  if (whole.length === 0) return ''
  // What is unread in every segment of its name is said once.
  const names = new Set(whole.map(({ path }) => path))
  return `  ${paint.dim(`no rule reads (--all shows them): ${[...names].join(', ')}`)}\n`
}

const widest = 80

/** Where it is examined, or why no modality is shown it yet. */
function placeOf(planned: PlannedStep, station: string): string {
  const where = station === '' ? [] : [`station ${station}`]
  const lacks = lacksOf(planned)
  return [...where, ...(lacks.length === 0 ? [] : [`held: no ${lacks.join(', no ')}`])].join(', ')
}

function groupText(group: OrderGroup, lines: readonly ExplainLine[], screen: Screen): string {
  const paint = painter(screen.io)
  const { accessionNumber, fillerOrderNumber, placerOrderNumber, fillerAppointmentId, placerAppointmentId } =
    group.numbers
  const appointment = fillerAppointmentId ?? placerAppointmentId
  const items = group.steps.flatMap((planned, step) =>
    (planned.stations.length === 0 ? [''] : planned.stations).map((station) => ({ planned, station, step })),
  )
  const numbers = [
    accessionNumber && `accession ${accessionNumber}`,
    fillerOrderNumber && `filler ${fillerOrderNumber}`,
    placerOrderNumber && `placer ${placerOrderNumber}`,
    appointment && `appointment ${appointment}`,
  ].filter(Boolean)
  const count = items.length === 0 ? '' : `  ${counted(items.length, 'item')}`
  const title = `  ${paint.bold(effectWord(group))}  ${group.orderControl}  ${numbers.join(', ')}${count}\n`
  const of = (step: number | undefined) =>
    linesText(
      lines.filter((line) => line.step === step),
      screen,
    )
  const each = items.map(
    ({ planned, station, step }, at) =>
      `  item ${at + 1} of ${items.length}: step ${planned.key}, ${placeOf(planned, station)}\n${of(step)}`,
  )
  return `${title}${of(undefined)}${each.join('')}`
}

/** What becomes of a patient: of a merge, who is no more; of an arrival, for which visit and on which day. */
function actText(act: PatientAct, lines: readonly ExplainLine[], screen: Screen): string {
  const paint = painter(screen.io)
  return `  ${paint.bold(act.kind)}  ${whoText(act)}\n${linesText(lines, screen)}`
}

function whoText(act: PatientAct): string {
  const { key } = act.patient
  switch (act.kind) {
    case 'merge':
      return `${act.prior.join(', ')} into ${key}`
    case 'unmerge':
      return `${act.others.map((other) => other.key).join(', ')} from ${key}`
    case 'arrive':
    case 'arrivalTakenBack': {
      const visit = act.admissionId === undefined ? '' : `, visit ${act.admissionId}`
      return `${key}${visit}, ${act.day ?? 'on the day it is accepted'}`
    }
    case 'update':
    case 'patientDeleted':
      return key
  }
}

/** What has a value, and what a condition left out. Fields that the message does not have are only named: they are many. */
function linesText(lines: readonly ExplainLine[], { io, showsAll, file }: Screen): string {
  const paint = painter(io)
  const isPlainlyEmpty = ({ value, origin }: ExplainLine) => value === '(none)' && !origin.includes('condition')
  const shown = showsAll ? lines : lines.filter((line) => !isPlainlyEmpty(line))
  const rows = shown.map(({ keyword, value, origin, place }) => [
    keyword,
    value,
    origin,
    place === undefined ? '' : paint.dim(ruleText(place, file)),
  ])
  const left = showsAll ? [] : lines.filter(isPlainlyEmpty).map(({ keyword }) => keyword)
  const rest = left.length === 0 ? '' : `    ${paint.dim(`without a value (--all says why): ${left.join(', ')}`)}\n`
  return `${table(rows, '    ')}${rest}`
}
