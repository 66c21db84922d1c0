/**
 * The language server that VS Code's YAML extension, Neovim and others run, driven as an
 * editor does: JSON-RPC on its standard input and output (LSP 3.17). The schemas are those
 * that are given, by the names of the files that they are for.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface Offered {
  readonly label: string
  readonly insertText?: string
  readonly documentation?: string | { readonly value: string }
}

export interface Finding {
  readonly message: string
  readonly line: number
}

export interface LanguageServer {
  /** Opens a text under a name; `|>` marks where the cursor is. */
  completion(file: string, text: string): Promise<readonly Offered[]>
  hover(file: string, text: string): Promise<string>
  /** What is wrong, once the server has looked. */
  findings(file: string, text: string): Promise<readonly Finding[]>
  stop(): Promise<void>
}

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
}

interface Range {
  readonly start: { readonly line: number }
}

const root = dirname(createRequire(import.meta.url).resolve('yaml-language-server/package.json'))

export async function startLanguageServer(schemas: Readonly<Record<string, string>>): Promise<LanguageServer> {
  const server = spawn(process.execPath, [join(root, 'bin/yaml-language-server'), '--stdio'], { stdio: 'pipe' })
  server.stderr.resume()
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const waiting = new Map<number, (result: unknown) => void>()
  const looked = new Map<string, (findings: readonly Finding[]) => void>()
  const configured = Promise.withResolvers<void>()
  let sent = 0

  const write = (message: object): void => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const ask = (method: string, params: object): Promise<unknown> => {
    sent += 1
    const id = sent
    return new Promise((resolve) => {
      waiting.set(id, resolve)
      write({ id, method, params })
    })
  }
  const settings: Readonly<Record<string, unknown>> = {
    yaml: {
      schemaStore: { enable: false },
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([file, path]) => [pathToFileURL(path).href, `/${file}`]),
      ),
    },
  }
  const take = ({ id, method, params, result }: Answer): void => {
    if (method === 'workspace/configuration') {
      const { items } = params as { items: readonly { section: string }[] }
      write({ id, result: items.map(({ section }) => settings[section] ?? {}) })
      configured.resolve()
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: readonly { message: string; range: Range }[] }
      looked.get(uri)?.(diagnostics.map(({ message, range }) => ({ message, line: range.start.line + 1 })))
    } else if (method !== undefined && id !== undefined) {
      write({ id, result: null })
    } else if (id !== undefined) {
      waiting.get(id)?.(result)
      waiting.delete(id)
    }
  }
  let rest = Buffer.alloc(0)
  server.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const end = rest.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/Content-Length: (\d+)/i.exec(rest.toString('latin1', 0, end))?.[1])
      if (rest.length < end + 4 + length) return
      const body = rest.toString('utf8', end + 4, end + 4 + length)
      rest = rest.subarray(end + 4 + length)
      take(JSON.parse(body) as Answer)
    }
  })

  await ask('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {
      textDocument: {
        hover: { contentFormat: ['markdown'] },
        completion: { completionItem: { snippetSupport: true } },
      },
      workspace: { configuration: true },
    },
  })
  write({ method: 'initialized', params: {} })
  // Before it has asked for its settings it knows no schema.
  await configured.promise

  /** Each text is a file of its own, in a folder of its own: nothing is left of the one before; a whole path is itself. */
  const open = (file: string, marked: string) => {
    const before = marked.includes('|>') ? marked.slice(0, marked.indexOf('|>')) : marked
    sent += 1
    const uri = isAbsolute(file) ? pathToFileURL(file).href : `file:///site-${sent}/${file}`
    const text = marked.replace('|>', '')
    const found = new Promise<readonly Finding[]>((resolve) => looked.set(uri, resolve))
    write({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } })
    const lines = before.split('\n')
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 }
    return { found, at: { textDocument: { uri }, position } }
  }
  return {
    async completion(file, text) {
      const answer = (await ask('textDocument/completion', open(file, text).at)) as { items: readonly Offered[] } | null
      return answer?.items ?? []
    },
    async hover(file, text) {
      const answer = (await ask('textDocument/hover', open(file, text).at)) as { contents: { value: string } } | null
      return answer?.contents.value ?? ''
    },
    findings: (file, text) => open(file, text).found,
    async stop() {
      await ask('shutdown', {})
      write({ method: 'exit' })
      await ended
    },
  }
}
