/** `when:` and `expr:` of a rule: what they ask of the names of `let:`. */
import type { DocumentPath } from '../core/located.ts'
import type { Asked } from './choose.ts'
import type { Compiled, Expression } from './condition.ts'
import { reportExpression, type Written } from './expression-problem.ts'
import { literal, none, textOf } from './piece.ts'
import { lookUp, type Origin, type Vocabulary } from './reference.ts'
import type { Scene } from './scene.ts'

export type Condition = (scene: Scene) => boolean

export function compileWhen(words: Vocabulary, value: unknown, at: DocumentPath): Condition | undefined {
  return compileQuestion(words, value, at)?.condition
}

export function compileQuestion(
  words: Vocabulary,
  value: unknown,
  at: DocumentPath,
): { readonly condition: Condition; readonly asked: Asked } | undefined {
  if (typeof value !== 'string') {
    words.lint.error('E209', at, { type: typeof value === 'boolean' ? 'a constant' : 'not a text' })
    return undefined
  }
  const expression = accepted(words, { text: value, wanted: 'bool' }, words.conditions.compile(value, 'bool'), at)
  if (expression === undefined) return undefined
  const { test, names } = expression
  const read = reader(words, names)
  const condition = test === undefined ? evaluator(words, expression) : (scene: Scene) => test(read(scene))
  return { condition, asked: expression }
}

export function expressionOrigin(words: Vocabulary, value: unknown, at: DocumentPath): Origin | undefined {
  const text = typeof value === 'string' ? value : ''
  const expression = accepted(words, { text, wanted: 'string' }, words.conditions.compile(text, 'string'), at)
  if (expression === undefined) return undefined
  const evaluate = evaluator(words, expression)
  return {
    from: expression.names.join(', '),
    get place() {
      return words.lets.get(expression.names[0] ?? '')?.place
    },
    source: (scene) => {
      scene.notes?.push(`expr ${text}`)
      const result = evaluate(scene)
      return result === '' ? none : [literal(result)]
    },
  }
}

/** What conditions see of a name: `''` where it has no value. */
export function nameText(words: Vocabulary, name: string, scene: Scene): string {
  return textOf(lookUp(words, name, scene)).trim()
}

/** What an expression gives; each scene keeps what it has found of the names, and absent ones are `''`. */
function evaluator<T>(words: Vocabulary, { names, evaluate }: Expression<T>): (scene: Scene) => T {
  const read = reader(words, names)
  return (scene) => {
    const texts = read(scene)
    return evaluate(Object.fromEntries(names.map((name) => [name, texts[words.letNames.indexOf(name)] ?? ''])))
  }
}

function reader(words: Vocabulary, names: readonly string[]): (scene: Scene) => Scene['named']['texts'] {
  const places = names.map((name) => words.letNames.indexOf(name))
  return (scene) => {
    const { notes, named } = scene
    const { texts } = named
    for (let at = 0; at < places.length; at++) {
      const place = places[at] as number
      if (texts[place] !== undefined && notes === undefined) continue
      const length = notes?.length ?? 0
      texts[place] = nameText(words, names[at] as string, scene)
      // What a condition looks at is not where the value comes from.
      notes?.splice(length)
    }
    return texts
  }
}

function accepted<T>(
  words: Vocabulary,
  { text, wanted }: Written,
  compiled: Compiled<T>,
  at: DocumentPath,
): Expression<T> | undefined {
  if (compiled.kind === 'ok') {
    for (const name of compiled.expression.names) words.used.names.add(name)
    return compiled.expression
  }
  // What stands in a condition that cannot be read is used, if only it could be.
  for (const [name] of text.matchAll(/\w+/g)) if (words.letNames.includes(name)) words.used.names.add(name)
  reportExpression(words.lint, { text, wanted, letNames: words.letNames }, compiled.problem, at)
  return undefined
}
