/**
 * Writes what is made of declarations: the JSON Schemas that editors use, and the
 * reference pages. `node src/cli/reference.ts` writes them; a test fails while
 * they are stale.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorsReference, settingsReference } from '../config/reference.ts'
import { pipelineSchema, type OfferedKeyword } from '../config/pipeline-schema.ts'
import { siteSchema } from '../config/schema.ts'
import { errors } from '../core/errors/index.ts'
import { lookupKeyword } from '../dicom/dictionary.ts'
import { worklistKeys } from '../dicom/worklist-item.ts'

/** Contents by path in the repository. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'config/worklane.schema.json': `${JSON.stringify(siteSchema(), null, 2)}\n`,
    'config/pipeline.schema.json': `${JSON.stringify(pipelineSchema(offered()), null, 2)}\n`,
    'docs/reference/settings.md': settingsReference(),
    'docs/reference/errors.md': errorsReference(errors),
  }
}

/** The return keys of a worklist item (PS3.4 Table K.6-1), as editors offer them. */
function offered(): readonly OfferedKeyword[] {
  return worklistKeys.map(({ keyword, type, level }) => {
    const { tag, vr } = lookupKeyword(keyword) ?? { tag: '', vr: '' }
    const number = `(${tag.slice(0, 4)},${tag.slice(4)})`
    return { keyword, isInStep: level === 'step', description: `${number} ${vr}, type ${type}` }
  })
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '../..')
  for (const [path, content] of Object.entries(generatedFiles())) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}
