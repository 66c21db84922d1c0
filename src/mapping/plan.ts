/** The pipelines of orders and patients of one source as one plan: which of them takes a message, and what it makes of it. */
import type { Fault } from '../core/fault.ts'
import type { Located } from '../core/located.ts'
import type { OrderGroup, Verdict } from '../core/message.ts'
import { groups, pathOf, select, type Message, type Scope } from '../hl7/index.ts'
import { createExplainer, type Explainer } from './explain.ts'
import { headerFaults, keysOf, typeOf, type MessageType } from './header.ts'
import { joinGroups } from './join-groups.ts'
import type { Control } from './order-control.ts'
import { compileOrderPipeline, type OrderPipeline } from './order-pipeline.ts'
import { compilePatientPipeline, isPatientPipeline, type PatientPipeline } from './patient-pipeline.ts'
import { lintSamePatient } from './same-patient.ts'
import { fault, Named, shownCode, type Scene } from './scene.ts'
import { createZone } from './time.ts'
import { doubtfulMerge, patientSegment, translatePatients } from './translate-patient.ts'
import { createTranslator, type Listener, type Translator } from './translate.ts'
import type { Compiled, CompilePlan, Judgement, Plan, PlanInput } from './types.ts'
import type { AcceptedType } from './vocabulary.ts'

interface OrderStage extends OrderPipeline {
  readonly translator: Translator
}

type Stage = OrderStage | PatientPipeline

export const compilePlan: CompilePlan = (input: PlanInput) => {
  const work = compilePlanByPipeline(input)
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** The same in pieces, one for each pipeline: who has other things to do does them in between. */
export function* compilePlanByPipeline(input: PlanInput): Generator<undefined, Compiled<Plan>, undefined> {
  const { id, source, pipelines, site, reading } = input
  const stages: Stage[] = []
  for (const located of pipelines) {
    stages.push(compileStage(located, input))
    yield
  }
  lintSamePatient(stages, pipelines)
  const problems = stages.flatMap(({ lint }) => lint.problems)
  if (stages.some(({ lint }) => lint.failed)) return { plan: undefined, problems }
  const judgeWith = createJudge(stages, { source, site, zone: createZone(site.timeZone) })
  const plan: Plan = {
    id,
    source,
    ...(reading === undefined ? {} : { reading }),
    judge: (message, sender = '') => safely(message, () => judgeWith(message, sender, undefined)),
    explain(message, sender = '') {
      const explainer = createExplainer()
      const judgement = safely(message, () => judgeWith(message, sender, explainer))
      return { ...judgement, lines: explainer.lines }
    },
  }
  return { plan, problems }
}

function compileStage(located: Located, { tables, site }: PlanInput): Stage {
  if (isPatientPipeline(located.value)) return compilePatientPipeline(located, tables)
  const pipeline = compileOrderPipeline(located, tables, site)
  return { ...pipeline, translator: createTranslator(pipeline) }
}

/** Whatever happens inside, the sender gets an answer: an error of ours is AR 207, it may send again. */
function safely(message: Message, judge: () => Judgement): Judgement {
  try {
    return judge()
  } catch {
    return judgement('', { code: '', event: '', text: '' }, message, invalid([fault('E313', 207)]))
  }
}

/** What is the same for all groups of a message. */
type Surroundings = Pick<Scene, 'source' | 'sender' | 'site' | 'zone'>

function createJudge(stages: readonly Stage[], plan: Omit<Surroundings, 'sender'>) {
  return (message: Message, sender: string, explainer: Explainer | undefined): Judgement => {
    const around = { ...plan, sender }
    const type = typeOf(message)
    // An answer to an acknowledgment would be answered in turn (HL7 2.5.1 §2.9.2).
    if (type.code === 'ACK') return judgement('', type, message, { kind: 'ignored', rule: 'reply' })
    const wrong = headerFaults(message)
    const taking = stages.filter(
      (stage) => stage.messages.some((each) => isTaken(each, type)) && (type.event !== '' || !isByEvent(stage)),
    )
    if (taking.length === 0) {
      return judgement('', type, message, invalid([...wrong, unsupported(stages, type)]))
    }
    if (wrong.length > 0) return judgement('', type, message, invalid(wrong))
    const hasNulls = message.segments.some(({ raw }) => raw.includes('""'))
    const scopesOf = groupsOf(message)
    let refused: Stage | undefined
    for (const stage of taking) {
      const isReply = stage.messages.find((each) => isTaken(each, type))?.isReply === true
      const scopes = scopesOf(stage.kind === 'orders' ? stage.orderSegment : patientSegment)
      const scenes = scopes.map((scope) => createScene(scope, around, hasNulls, explainer))
      const wanted = stage.accept === undefined ? scenes : scenes.filter((scene) => stage.accept?.(scene))
      if (wanted.length === 0) {
        refused ??= stage
        continue
      }
      const doubtful = isReply
        ? []
        : stage.kind === 'orders'
          ? doubtfulStructure(message, scopes)
          : doubtfulMerge(scopes)
      if (doubtful.length > 0) return judgement(stage.name, type, message, invalid(doubtful))
      const verdict =
        stage.kind === 'orders'
          ? translate(stage, isReply ? brought(stage, wanted) : wanted, type, explainer)
          : verdictOf(translatePatients(stage, type.event, wanted, explainer?.listen))
      return judgement(stage.name, type, message, verdict)
    }
    const name = refused?.name ?? ''
    return judgement(name, type, message, { kind: 'ignored', rule: `${name}: accept.when` })
  }
}

/** Pipelines that are asked one after the other mostly read the same groups. */
function groupsOf(message: Message): (segment: string) => readonly Scope[] {
  const known = new Map<string, readonly Scope[]>()
  return (segment) => {
    const scopes = known.get(segment) ?? groups(message, segment)
    known.set(segment, scopes)
    return scopes
  }
}

function isTaken(accepted: AcceptedType, type: MessageType): boolean {
  return accepted.code === type.code && (accepted.event === undefined || accepted.event === type.event)
}

/** Whether the event decides what the message does: without one nobody knows, and AA would say that somebody does. */
function isByEvent(stage: Stage): boolean {
  return stage.kind !== 'orders' || stage.bookingEvents !== undefined
}

/** HL7 table 0357: 200 unsupported message type, 201 unsupported event code. */
function unsupported(stages: readonly Stage[], type: MessageType): Fault {
  const knowsType = stages.some(({ messages }) => messages.some(({ code }) => code === type.code))
  const place = { segment: 'MSH', occurrence: 1, field: 9, repetition: 1, component: knowsType ? 2 : 1 }
  const shown = type.text === '' ? '(none)' : type.text.split('^').map(shownCode).join('^')
  return knowsType ? fault('E307', 201, { type: shown }, place) : fault('E306', 200, { type: shown }, place)
}

/** Whose order it is, and which order, must not depend on which segment is read first (I11); and no exam is lost in silence (I8). */
function doubtfulStructure({ segments }: Message, scopes: readonly Scope[]): readonly Fault[] {
  const second = segments.find(({ name, occurrence }) => name === 'PID' && occurrence > 1)
  if (second !== undefined) return [fault('E317', 100, {}, { segment: 'PID', occurrence: second.occurrence })]
  for (const scope of scopes) {
    for (const segment of ['ORC', 'OBR']) {
      const [, another] = scope.segments.filter(({ name }) => name === segment)
      if (another !== undefined) return [fault('E318', 100, { segment }, { segment, occurrence: another.occurrence })]
    }
  }
  return []
}

function createScene(scope: Scope, around: Surroundings, hasNulls: boolean, explainer: Explainer | undefined): Scene {
  return {
    scope,
    ...around,
    hasNulls,
    named: new Named(),
    row: undefined,
    repetition: undefined,
    shortened: new Map(),
    faults: [],
    warnings: [],
    notes: explainer?.notes,
  }
}

/** Of an answer to an order, the groups that bring a number: all else in it repeats what was asked. */
function brought(stage: OrderStage, scenes: readonly Scene[]): readonly Scene[] {
  return scenes.filter(({ scope }) => {
    const { effect } = stage.orderControl(text(scope, orderControlPath), text(scope, orderStatusPath))
    return effect === 'number'
  })
}

/**
 * What the source says goes before the pipeline's `otherwise`, never before a code that it names. A code in small
 * letters is that code, and none at all is a fault: an order that is ignored because of how it is written is lost.
 */
function controlOf(stage: OrderStage, { site }: Scene, code: string, status: string): Control {
  const exact = stage.orderControl(code, status)
  const control = exact.rule === 'otherwise' ? stage.orderControl(code.toUpperCase(), status) : exact
  if (code === '') return { ...control, effect: 'reject' }
  const { unknownOrderControl = 'pipeline' } = site
  if (control.rule !== 'otherwise' || unknownOrderControl === 'pipeline') return control
  return { ...control, effect: unknownOrderControl }
}

const orderControlPath = pathOf('ORC-1.1')
const orderStatusPath = pathOf('ORC-5.1')
const bookingStatusPath = pathOf('SCH-25.1')
const serviceActionPath = pathOf('AIS-2')
const startsOfOrder = ['TQ1-7', 'ORC-7.4', 'OBR-27.4'].map((field) => ({ field, path: pathOf(field) }))
const orderOfBooking = ['SCH-26', 'SCH-27'].map((field) => ({ field, path: pathOf(`${field}.1`) }))

function translate(
  stage: OrderStage,
  scenes: readonly Scene[],
  type: MessageType,
  explainer: Explainer | undefined,
): Verdict {
  if (scenes.length === 0) return { kind: 'ignored', rule: `${stage.name}: reply` }
  const done: OrderGroup[] = []
  const faults: Fault[] = []
  const warnings: Fault[] = []
  const ignoredBy = new Set<string>()
  scenes.forEach((scene, index) => {
    if (stage.bookingEvents !== undefined && scene.scope.segments.some(({ name }) => name === 'SCH')) {
      const booked = book(stage, scene, type, explainer?.listen(index))
      if ('ignoredBy' in booked) ignoredBy.add(booked.ignoredBy)
      else if ('fault' in booked) faults.push(booked.fault)
      else done.push(booked)
      faults.push(...scene.faults)
      warnings.push(...scene.warnings)
      return
    }
    const code = text(scene.scope, orderControlPath)
    const status = text(scene.scope, orderStatusPath)
    if (!scene.scope.segments.some(({ name }) => name === 'ORC')) {
      const segment = stage.bookingEvents === undefined ? 'ORC' : 'SCH'
      faults.push(fault('E314', 101, { segment }, { segment, occurrence: 1 }))
      return
    }
    const { effect, holds, rule } = controlOf(stage, scene, code, status)
    if (effect === 'ignore') {
      ignoredBy.add(`${stage.name}: orderControl.${rule}`)
      return
    }
    if (effect === 'reject') {
      faults.push(rejected(stage, scene, code))
      return
    }
    const control = shownControl(code, status, rule)
    if (effect === 'create' || effect === 'update') scene.warnings.push(...severalStarts(scene))
    const group = stage.translator.group(scene, effect, control, explainer?.listen(index))
    done.push({ ...group, ...(holds === undefined ? {} : { holds }), ...stage.changesPatient(effect) })
    faults.push(...scene.faults)
    warnings.push(...scene.warnings)
  })
  if (faults.length > 0) return invalid(faults)
  if (done.length === 0) return { kind: 'ignored', rule: [...ignoredBy].join(', ') }
  if (done.some(({ steps }) => steps.length > 0)) warnings.push(...misnamed(stage, scenes, type))
  const joined = joinGroups(done)
  return joined.faults.length > 0 ? invalid(joined.faults) : { kind: 'accepted', groups: joined.groups, warnings }
}

/** What a booking does; its filler status is said only where the pipeline names it. */
function book(
  stage: OrderStage,
  scene: Scene,
  type: MessageType,
  listener: Listener | undefined,
): OrderGroup | { readonly ignoredBy: string } | { readonly fault: Fault } {
  const control = stage.bookingEvents?.(type.event, text(scene.scope, bookingStatusPath))
  const { effect, rule } = control ?? { effect: 'reject', rule: 'otherwise' }
  if (effect === 'ignore') return { ignoredBy: `${stage.name}: triggerEvent.${rule}` }
  if (effect === 'reject') {
    const place = { segment: 'MSH', occurrence: 1, field: 9, repetition: 1, component: 2 }
    return {
      fault: fault('E328', 201, { event: shownCode(type.event) }, place, stage.lint.place(['triggerEvent'], 'key')),
    }
  }
  scene.warnings.push(...severalOrders(scene))
  const shown = rule === 'otherwise' ? shownCode(type.event) : rule
  const group = stage.translator.group(scene, effect, shown, listener)
  const isEmptied = effect === 'schedule' && group.steps.length === 0 && isTakenOut(scene)
  return { ...group, ...(isEmptied ? { effect: 'cancel', request: {} } : {}), isBooking: true }
}

/** Every service was deleted from the booking (HL7 table 0206): nothing is left that anybody comes for. */
function isTakenOut({ scope }: Scene): boolean {
  const actions = select(scope, serviceActionPath)
  return actions.length > 0 && actions.every(({ text: action }) => action.trim() === 'D')
}

/** SCH-26 and SCH-27 may repeat: what is left out must not be thought to have been booked. */
function severalOrders({ scope }: Scene): readonly Fault[] {
  return orderOfBooking.flatMap(({ field, path }) => {
    const named = select(scope, path).filter(({ isNull, isEmpty }) => !isNull && !isEmpty)
    const other = named.find((piece) => piece.text.trim() !== named[0]?.text.trim())
    return other === undefined ? [] : [fault('E346', 102, { field }, other.place)]
  })
}

/** TQ1 and ORC-7 may repeat (HL7 2.5.1 §4.5.4): an exam on several days is several orders, and only the first is planned. */
function severalStarts({ scope }: Scene): readonly Fault[] {
  for (const { field, path } of startsOfOrder) {
    const named = select(scope, path).filter(({ isNull, isEmpty }) => !isNull && !isEmpty)
    if (named.length === 0) continue
    const other = named.find((piece) => piece.text.trim() !== named[0]?.text.trim())
    return other === undefined ? [] : [fault('E347', 102, { field }, other.place)]
  }
  return []
}

/** Some senders call every order OMI: what is in it counts, not its name. */
function misnamed({ steps }: OrderStage, scenes: readonly Scene[], type: MessageType): readonly Fault[] {
  if (type.code !== 'OMI' || steps?.kind !== 'segments') return []
  if (scenes.some(({ scope }) => scope.segments.some(({ name }) => name === steps.segment))) return []
  const place = { segment: 'MSH', occurrence: 1, field: 9 }
  return [fault('E343', 102, { type: type.code, segment: steps.segment }, place)]
}

function rejected(stage: OrderStage, scene: Scene, code: string): Fault {
  const occurrence = scene.scope.segments.find(({ name }) => name === 'ORC')?.occurrence ?? 1
  const place = { segment: 'ORC', occurrence, field: 1 }
  const rule = stage.lint.place(['orderControl'], 'key')
  if (code === '') return fault('E302', 101, { what: 'The order control code' }, place, rule)
  return fault('E312', 103, { code: shownCode(code) }, place, rule)
}

function text(scope: Scope, path: ReturnType<typeof pathOf>): string {
  const piece = select(scope, path)[0]
  return piece === undefined || piece.isNull ? '' : piece.text.trim()
}

/** `NW(SC)`, as the history shows it. A long ORC-5 is a code where the pipeline names it; else it may be anything (I9). */
function shownControl(code: string, status: string, rule: string): string {
  const control = shownCode(code)
  if (status === '') return control
  const isCode = status.length <= 2 || rule === `${code}(${status})`
  return `${control}(${isCode ? shownCode(status) : '(not shown)'})`
}

function verdictOf(made: ReturnType<typeof translatePatients>): Verdict {
  return 'kind' in made ? made : invalid(made)
}

/** AR where the message could be taken by another engine or at another time (2xx) or cannot be answered by its number; else AE. */
function invalid(faults: readonly Fault[]): Verdict {
  const isReject = faults.some(({ code, hl7Code }) => hl7Code >= 200 || code === 'E104')
  return { kind: 'invalid', acknowledgment: isReject ? 'AR' : 'AE', faults }
}

function judgement(pipeline: string, type: MessageType, message: Message, verdict: Verdict): Judgement {
  return { verdict, pipeline, type: type.text, keys: keysOf(message) }
}
