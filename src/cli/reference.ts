/**
 * Writes what is made of declarations: the JSON Schemas that editors use, and the
 * reference pages. `node src/cli/reference.ts` writes them; a test fails while
 * they are stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorsReference, settingsReference } from '../config/reference.ts'
import { pipelineSchema, type OfferedKeyword } from '../config/pipeline-schema.ts'
import { pipelineTestSchema } from '../config/pipeline-test-schema.ts'
import { retryReference } from '../config/retry-reference.ts'
import { siteSchema } from '../config/schema.ts'
import { parseYaml } from '../config/yaml.ts'
import { errors } from '../core/errors/index.ts'
import { lookupKeyword } from '../dicom/dictionary.ts'
import { worklistKeys } from '../dicom/worklist-item.ts'
import { validationReference } from '../mapping/policy-reference.ts'
import { fieldsOf, pathsOf } from './used-fields.ts'
import { exitCodes, verbs } from './verbs.ts'

/** Contents by path in the repository. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'config/worklane.schema.json': `${JSON.stringify(siteSchema(), null, 2)}\n`,
    'config/pipeline.schema.json': `${JSON.stringify(pipelineSchema(offered()), null, 2)}\n`,
    'config/pipeline-test.schema.json': `${JSON.stringify(pipelineTestSchema(offered()), null, 2)}\n`,
    'docs/reference/settings.md': settingsReference(),
    'docs/reference/errors.md': errorsReference(errors),
    'docs/reference/cli.md': cliReference(),
    'docs/reference/retries.md': retryReference(),
    'docs/reference/validation.md': validationReference(),
  }
}

const environment = [
  ['WORKLANE_CONFIG', 'The file of the site, where `--config` names none.'],
  ['WORKLANE_MLLP_PORT', 'Where `send` and `import` send to, where `--to` says nothing else.'],
  ['WORKLANE_RIS_PORT', 'Where `ris` listens, where `--port` says nothing else.'],
  ['NO_COLOR', 'With any value: no colours. They are only shown on a terminal.'],
] as const

/** Each verb as its `--help` tells it. */
function cliReference(): string {
  const about = [
    '# Command line',
    'This page is made from the verbs themselves (`node src/cli/reference.ts`); `worklane VERB --help` shows the same.',
    'In a clone: `npx worklane VERB ...` once it is set up, or `npm run -s worklane -- VERB ...`, which sets up what is',
    'missing (without `-s` npm adds lines of its own). The site is `config/worklane.yaml`, the file that',
    '`WORKLANE_CONFIG` names, or that of `--config`.',
    '',
    `${exitCodes} Answers go to standard output, what is wrong and how far something long has come to standard error.`,
    'With `--json` the answer is one JSON, for programs, and nothing else is on standard output; what is wrong stays a',
    'sentence on standard error, and the exit code says that it was. Without an answer standard output is empty.',
    '',
    '| Variable | What the command line makes of it |',
    '| --- | --- |',
    ...environment.map(([name, does]) => `| \`${name}\` | ${does} |`),
    '',
    'The settings of the site have variables of their own: [settings](settings.md#environment-variables).',
    'bash and zsh complete verbs, options and names: [completion](#completion).',
  ]
  const parts = Object.entries(verbs).map(([name, { does, usage, example }]) => {
    const [call = '', ...rest] = usage.split('\n\n')
    return `## ${name}\n\n${capital(does)}.\n\n\`\`\`\n${call}\n\`\`\`\n\n${rest.join('\n\n')}\n\nFor example: \`${example}\`\n`
  })
  return [`${about.slice(0, 1).join('')}\n\n${about.slice(1).join('\n')}\n`, ...parts].join('\n')
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** The return keys of a worklist item (PS3.4 Table K.6-1), and what the shipped pipelines fill besides, as editors offer them. */
function offered(): readonly OfferedKeyword[] {
  const required = worklistKeys.map(({ keyword, type, level }) => ({
    keyword,
    isInStep: level === 'step',
    isOfPatient: level === 'patient',
    description: `${tagText(keyword)}, type ${type}: ${typeWords[type] ?? ''}`,
  }))
  const known = new Set(required.map(({ keyword, isInStep }) => `${keyword} ${isInStep}`))
  const more = shipped.flatMap(({ map }) =>
    placesIn(map)
      .filter(({ keyword, isInStep }) => !known.has(`${keyword} ${isInStep}`))
      .map(({ keyword, isInStep }) => {
        known.add(`${keyword} ${isInStep}`)
        const isOfPatient = keyword in (shipped.at(-1)?.map ?? {})
        return { keyword, isInStep, isOfPatient, description: `${tagText(keyword)}: not in Table K.6-1.` }
      }),
  )
  return [...required, ...more].map((one) => ({ ...one, examples: examplesOf(one.keyword) }))
}

/** `(0010,0010) PN` */
function tagText(keyword: string): string {
  const { tag, vr } = lookupKeyword(keyword) ?? { tag: '', vr: '' }
  return `(${tag.slice(0, 4)},${tag.slice(4)}) ${vr}`
}

const stepSequence = 'ScheduledProcedureStepSequence'

function placesIn(map: Fields): readonly { readonly keyword: string; readonly isInStep: boolean }[] {
  const step = fieldsOf(map[stepSequence])
  const of = (fields: Fields, isInStep: boolean) =>
    Object.keys(fields)
      .filter((keyword) => /^[A-Z]/.test(keyword) && keyword !== stepSequence)
      .map((keyword) => ({ keyword, isInStep }))
  return [...of(map, false), ...of(step, true)]
}

/** PS3.5 §7.4 */
const typeWords: Readonly<Record<string, string>> = {
  '1': 'must have a value.',
  '1C': 'must have a value where its condition is met.',
  '2': 'is always sent; may be empty.',
  '2C': 'is sent where its condition is met; may be empty.',
  '3': 'optional.',
}

type Fields = Readonly<Record<string, unknown>>

/** The shipped pipelines that fill items; that of patients is the last. */
const shipped = ['orders', 'appointments', 'patients'].map((name) => {
  const file = new URL(`../../pipelines/${name}/pipeline.yaml`, import.meta.url)
  const document = fieldsOf(parseYaml(readFileSync(file, 'utf8'), 'pipeline.yaml').located?.value)
  return { map: fieldsOf(document['map']), lets: fieldsOf(document['let']) }
})

/** As a shipped pipeline has it, if that holds in any other; else the fields that it reads. */
function examplesOf(keyword: string): readonly unknown[] {
  for (const { map, lets } of shipped) {
    const rule = map[keyword] ?? fieldsOf(map[stepSequence])[keyword]
    if (rule === undefined) continue
    const paths: readonly unknown[] = Array.isArray(rule) ? rule : [rule]
    const isHl7 = (path: unknown): boolean => typeof path === 'string' && /^[A-Z][A-Z0-9]{2}[-(]/.test(path)
    if (paths.every(isHl7)) return [rule]
    const [first, ...more] = keyword.endsWith('Sequence') ? [] : pathsOf(rule, lets)
    if (first !== undefined) return [more.length === 0 ? first : [first, ...more.slice(0, 2)]]
  }
  return []
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '../..')
  for (const [path, content] of Object.entries(generatedFiles())) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}
