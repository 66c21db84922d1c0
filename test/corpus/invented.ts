import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { patientIdOf } from '../../src/core/ids.ts'
import { unescape } from '../../src/hl7/index.ts'
import type { Message } from '../../src/hl7/types.ts'
import { whenOf } from './field.ts'
import type { Holdings } from './reception.ts'

const modalities = (
  parseYaml(readFileSync(join(import.meta.dirname, '../../pipelines/orders/pipeline.yaml'), 'utf8')) as {
    readonly tables: { readonly modalities: Readonly<Record<string, string>> }
  }
).tables.modalities

/**
 * What the store holds that nobody said: a station that is no value of a message and not the site's, a
 * day, a modality or a patient that is in none. `messages` are all that came to this store.
 */
export function inventedIn(
  messages: readonly (Message | undefined)[],
  { orders, patients }: Holdings,
  timeZone: string,
): readonly string[] {
  const said = new Set<string>(['ANY'])
  const days = new Set<string>()
  let all = ''
  for (const message of messages) {
    if (message === undefined) continue
    const { field, component, repetition, subcomponent } = message.delimiters
    for (const { raw } of message.segments) {
      let values = [raw]
      for (const sign of [field, repetition, component, subcomponent]) {
        if (sign !== '') values = values.flatMap((value) => value.split(sign))
      }
      for (const value of values) {
        const text = unescape(value, message.delimiters).trim()
        said.add(text)
        all += `${text}\n`
        const day = whenOf(text, timeZone)?.day
        if (day !== undefined) days.add(day)
      }
    }
  }
  const names = all.toUpperCase()
  const found: string[] = []
  for (const order of orders) {
    for (const { stations, attributes } of order.steps) {
      for (const station of stations) if (!said.has(station)) found.push('station')
      const day = attributes['ScheduledProcedureStepStartDate']
      if (typeof day === 'string' && day !== '' && !days.has(day)) found.push('day')
      const modality = attributes['Modality']
      if (typeof modality === 'string' && modality !== '' && !wasSaid(modality, said)) found.push('modality')
    }
    if (!said.has(patientIdOf(order.patientKey))) found.push('patient ID')
  }
  for (const { patientId, attributes } of patients) {
    if (!said.has(patientId)) found.push('patient ID')
    const { PatientName: name, PatientBirthDate: birth } = attributes
    // Word by word: suffix and degree of HL7 are one suffix in DICOM.
    const parts = typeof name === 'string' ? name.split(/[\^=\s]+/) : []
    if (parts.some((part) => !names.includes(part.toUpperCase()))) found.push('patient name')
    if (typeof birth === 'string' && !all.includes(birth)) found.push('birth date')
  }
  return [...new Set(found)].map((what) => `a ${what} was invented`)
}

function wasSaid(modality: string, said: ReadonlySet<string>): boolean {
  return said.has(modality) || Object.entries(modalities).some(([sent, meant]) => meant === modality && said.has(sent))
}
