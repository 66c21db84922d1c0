/** Words of other tools and languages for those of a pipeline: what was meant, where nothing is misspelt. */
const meant: Readonly<Record<string, readonly string[]>> = {
  otherwise: ['default', 'else', 'fallback', 'ifempty', 'missing', 'onmissing', 'default value', 'defaultvalue'],
  when: ['if', 'condition', 'where', 'unless', 'only'],
  value: ['const', 'constant', 'literal', 'fixed', 'text', 'set'],
  from: ['field', 'path', 'hl7', 'source', 'valueof', 'input', 'in', 'sources', 'listener'],
  table: ['lookup', 'translate', 'map', 'codes', 'dictionary'],
  join: ['separator', 'concat', 'glue', 'delimiter', 'concatenate'],
  tooLong: ['truncate', 'maxlength', 'max', 'cut', 'length', 'overflow'],
  each: ['foreach', 'repeat', 'loop', 'split', 'steps', 'repetitions'],
  expr: ['expression', 'script', 'javascript', 'js', 'formula'],
  scheme: ['system', 'codingsystem', 'codingscheme', 'codingschemedesignator'],
  meaning: ['display', 'codemeaning', 'description', 'label'],
  code: ['codevalue'],
  file: ['csv', 'filename', 'path'],
  key: ['column', 'by', 'id', 'on', 'index'],
  extend: ['extends', 'inherits', 'inherit', 'base', 'parent', 'basedon', 'include'],
  pipeline: ['name', 'channel', 'id'],
  summary: ['description', 'comment', 'title'],
  to: ['output', 'destination', 'target', 'out'],
  accept: ['filter', 'messages', 'types'],
  let: ['variables', 'vars', 'names', 'define'],
  tables: ['lookups', 'codes', 'dictionaries'],
  orderControl: ['actions', 'effects', 'orc1', 'orc-1', 'control'],
  identity: ['ids', 'keys', 'id', 'key'],
  map: ['mapping', 'attributes', 'dicom', 'fields', 'rules'],
  set: ['change', 'changes', 'with', 'input'],
  expect: ['expected', 'assert', 'then', 'output', 'result'],
}

/** The known word that another tool calls so; undefined where there is none. */
export function otherWord(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  return [...known].find((each) => Object.hasOwn(meant, each) && meant[each]?.includes(wanted))
}
