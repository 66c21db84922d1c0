/**
 * Writes what is made of declarations: the JSON Schemas that editors use, and the
 * reference pages. `node src/cli/reference.ts` writes them; a test fails while
 * they are stale.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorsReference, settingsReference } from '../config/reference.ts'
import { siteSchema } from '../config/schema.ts'
import { errors } from '../core/errors/index.ts'

/** Contents by path in the repository. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'config/worklane.schema.json': `${JSON.stringify(siteSchema(), null, 2)}\n`,
    'docs/reference/settings.md': settingsReference(),
    'docs/reference/errors.md': errorsReference(errors),
  }
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '../..')
  for (const [path, content] of Object.entries(generatedFiles())) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}
