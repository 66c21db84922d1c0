/** The DICOM half of a site's conformance statement: the worklist as modalities see it, and what each attribute is filled from. */
import type { Site } from '../config/site.ts'
import { preparePlan } from '../config/plans.ts'
import { servedStatuses } from '../core/order.ts'
import { lookupKeyword } from '../dicom/dictionary.ts'
import { worklistKeys, type WorklistKey } from '../dicom/worklist-item.ts'
import { stepSequence, type AttributeRule } from '../mapping/attribute.ts'
import { cell } from '../mapping/mapping-table.ts'
import { compileOrderPipeline, type OrderPipeline } from '../mapping/order-pipeline.ts'
import { compilePatientPipeline } from '../mapping/patient-pipeline.ts'
import { plain, tableOf } from './docs-hl7.ts'

/** Attributes of the matching keys that Table K.6-1 requires; the others are matched, too. */
const required = new Set([
  'ScheduledProcedureStepSequence',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'Modality',
  'ScheduledPerformingPhysicianName',
  'PatientName',
  'PatientID',
])

export function dicomPart(site: Site): readonly string[] {
  const { orthancs, sources, defaults } = site.settings
  const fillings = fillingsOf(site)
  // What this engine does not answer itself.
  const foreign = orthancs.filter(({ target }) => target === 'folder' || target === 'rest').map(({ name }) => name)
  const known = new Set(worklistKeys.map(({ keyword, level }) => placeOf(keyword, level === 'step')))
  const more = [...fillings.keys()].filter((place) => !known.has(place))
  const fallbacks = [
    { whose: 'the site', ...defaults },
    ...sources.map((source) => ({ whose: source.name, ...source.defaults })),
  ].flatMap(({ whose, modality, stationAeTitle, issuerOfPatientId }) =>
    [
      ['Modality', whose, modality],
      ['ScheduledStationAETitle', whose, stationAeTitle],
      ['IssuerOfPatientID', whose, issuerOfPatientId],
    ].filter(([, , value]) => value !== ''),
  )
  return [
    '## DICOM: the worklist',
    `Orthanc answers modalities; this engine is no DICOM application entity of its own (\`worklane check --live\` alone opens an
association, to ask Orthanc as a modality does). AE titles, ports, transfer syntaxes and
who may ask are Orthanc's configuration.${foreign.length === 0 ? '' : ` Where its worklist plugin answers (${foreign.map(plain).join(', ')}), matching is that plugin's.`}`,
    tableOf(
      ['SOP class', 'UID', 'Role', 'Service'],
      [
        [
          'Modality Worklist Information Model - FIND',
          '1.2.840.10008.5.1.4.31',
          'SCP (Orthanc)',
          'C-FIND (PS3.4 Annex K)',
        ],
      ],
    ),
    tableOf(
      ['Orthanc', 'REST API', 'Gets the worklist'],
      orthancs.map(({ name, url, target }) => [cell(name), cell(withoutSecret(url)), targets[target]]),
    ),
    `Items are in ISO_IR 192 (UTF-8); Orthanc answers in its \`DefaultEncoding\`, which must be \`Utf8\` (\`worklane check --live\` looks),
and gives of an item the keys that are asked for. An item is one step at one station: an order with two steps,
or a step at two stations, is several items with one Study Instance UID. Served are steps that are
${servedStatuses.join(', ')}, that are not on hold and that have a start, a modality, a station and a procedure.`,
    '### Keys',
    `Type: Table K.6-1 of PS3.4 (1 always with a value, 2 always there, 3 optional, C under a condition). Matching: R is a required
matching key of that table, O an optional one that is matched. Dates and times match by range, names and texts with \`*\` and \`?\`,
several values in a key mean any of them; an empty key matches everything. Type 2 keys without a value are returned empty. A name in small letters, such as
\`start\`, is one of the pipeline's: its mapping table says of which fields it is made.`,
    tableOf(
      ['Keyword', 'Tag', 'VR', 'Type', 'Matching', 'Filled from'],
      worklistKeys.map((key) => keyRow(key, fillings)),
    ),
    ...(fallbacks.length === 0
      ? []
      : [
          'Where neither message nor table has a value; that of the source goes before that of the site:',
          tableOf(
            ['Keyword', 'Of', 'Value'],
            fallbacks.map(([keyword = '', whose = '', value = '']) => [keyword, cell(whose), cell(value)]),
          ),
        ]),
    '### Further attributes',
    ...(more.length === 0
      ? ['None.']
      : [
          'Returned with a value where the message has one; not in Table K.6-1.',
          tableOf(
            ['Keyword', 'Tag', 'VR', 'Filled from'],
            more.map((place) => [shown(place), ...tagAndVr(place), cell(fillings.get(place)?.join('; ') ?? '')]),
          ),
        ]),
    '## DICOM: images',
    `Images are stored in Orthanc by the modalities. This engine reads what Orthanc says has changed (REST), and credits a study to an
order whose identifiers agree: Request Attributes Sequence, Study Instance UID or Accession Number, and always the patient.
It stores, changes and sends no images.`,
  ]
}

const targets = {
  plugin: 'by its plugin, at each C-FIND',
  folder: 'by files for its worklist plugin',
  rest: 'by REST, for its worklist plugin',
  none: 'not at all; only its changes are read',
} as const

/** What no message says. */
const made: Readonly<Record<string, string>> = {
  SpecificCharacterSet: 'ISO_IR 192',
  ScheduledProcedureStepSequence: 'one item',
  [placeOf('ScheduledProcedureStepStatus', true)]: 'what is known of the step',
}

function keyRow(
  { keyword, type, level }: WorklistKey,
  fillings: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const place = placeOf(keyword, level === 'step')
  const from = fillings.get(place) ?? []
  const text = made[place] ?? (from.length > 0 ? from.join('; ') : type.startsWith('2') ? 'empty' : 'not returned')
  const matching =
    keyword === 'SpecificCharacterSet' || keyword === 'TimezoneOffsetFromUTC' ? '-' : required.has(keyword) ? 'R' : 'O'
  return [shown(place), ...tagAndVr(place), type, matching, cell(text)]
}

/** By place in the item, what each pipeline fills it from: `orders, east: OBR-18, else ORC-3.1`. */
function fillingsOf(site: Site): ReadonlyMap<string, readonly string[]> {
  const fillings = new Map<string, Map<string, string[]>>()
  for (const pipeline of site.pipelines) {
    if (pipeline.kind === 'status') continue
    const rules =
      pipeline.kind === 'patients' ? compilePatientPipeline(pipeline.located, site.tables).map : rulesOf(pipeline, site)
    for (const { place, text } of placed(rules)) {
      const texts = fillings.get(place) ?? new Map<string, string[]>()
      // Of its cell the sign that ends it is kept: the whole cell is escaped where it is written.
      const name = plain(pipeline.name).replaceAll(String.raw`\|`, '|')
      texts.set(text, [...(texts.get(text) ?? []), name])
      fillings.set(place, texts)
    }
  }
  return new Map(
    [...fillings].map(([place, texts]) => [
      place,
      [...texts].map(([text, names]) => `${[...new Set(names)].join(', ')}: ${text}`),
    ]),
  )
}

function rulesOf(pipeline: Site['pipelines'][number], site: Site): readonly AttributeRule[] {
  const { settings, tables } = site
  const source = settings.sources.find(({ name }) => name === pipeline.from) ?? settings.sources[0]
  if (source === undefined) return []
  const { site: defaults } = preparePlan(source, [pipeline], tables, settings).input
  const compiled: OrderPipeline = compileOrderPipeline(pipeline.located, tables, defaults)
  return [...compiled.item, ...compiled.step.map((rule) => ({ ...rule, keyword: placeOf(rule.keyword, true) }))]
}

/** A rule, and the rules inside of a sequence, each with its path. */
function placed(
  rules: readonly AttributeRule[],
  above = '',
): readonly { readonly place: string; readonly text: string }[] {
  return rules.flatMap((rule) => {
    const { keyword, from, how, makesUid, inner } = rule
    const place = above === '' ? keyword : `${above}.${keyword}`
    const words = [from === '' && inner.length > 0 ? 'its parts' : from, how].filter((word) => word !== '')
    const text = words.join(' (') + (words.length > 1 ? ')' : '')
    return [{ place, text: text === '' ? (makesUid ? 'made' : 'a constant') : text }, ...placed(inner, place)]
  })
}

function placeOf(keyword: string, isInStep: boolean): string {
  return isInStep ? `${stepSequence}.${keyword}` : keyword
}

/** `> Modality`: inside of the step, and so on. */
function shown(place: string): string {
  const parts = place.split('.')
  return parts.length === 1
    ? place
    : parts[0] === stepSequence && parts.length === 2
      ? `> ${parts[1]}`
      : parts.join(' > ')
}

function tagAndVr(place: string): readonly [string, string] {
  const { tag, vr } = lookupKeyword(place.split('.').at(-1) ?? '') ?? { tag: '', vr: '' }
  return [`(${tag.slice(0, 4)},${tag.slice(4)})`, vr]
}

/** An address may hold a user and a password. */
function withoutSecret(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
  } catch {
    return ''
  }
}
