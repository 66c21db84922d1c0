import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { blocksOf, page, root } from '../docs/pages.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

/** A terminal of the reader: runs a script, keeps what it shows. */
function terminal(script: string, env: NodeJS.ProcessEnv) {
  // A group of its own, so that Ctrl-C ends what the script has started too.
  const child = spawn('sh', ['-ec', script], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const interrupt = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGINT')
    await ended
  }
  return { ended, interrupt, output: () => output }
}

/** Whether each line stands in the output, in this order; `…` is anything, and so is the width of gaps. */
function shows(output: string, expected: string): boolean {
  const escaped = expected.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const lines = escaped.split('\n').map((line) => line.trim().replaceAll(/…/g, '.*').replaceAll(/ {2,}/g, ' +'))
  return new RegExp(lines.join(String.raw`[\s\S]*?`)).test(output)
}

test('the tutorial works as it is written', async () => {
  const home = temporaryFolder()
  undo.push(() => home.remove())
  const ports: Record<string, string> = {}
  for (const port of ['2575', '8575', '2576', '4242', '8042']) ports[port] = String(await freePort())
  const text = page('docs/tutorial.md').text.replaceAll(/\b(2575|8575|2576|4242|8042)\b/g, (port) => ports[port] ?? '')
  const blocks = blocksOf({ file: '', text })
  const env = {
    PATH: process.env['PATH'],
    HOME: home.path,
    // The person's npm, whatever the home: set-up that finds something to do must be able to do it.
    npm_config_userconfig: process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc'),
    npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
    WORKLANE_MLLP_PORT: ports['2575'],
    WORKLANE_HTTP_PORT: ports['8575'],
    WORKLANE_ORTHANC_URL: `http://127.0.0.1:${ports['8042']}`,
    WORKLANE_URL: `http://127.0.0.1:${ports['8575']}`,
    ORTHANC_HTTP_PORT: ports['8042'],
    ORTHANC_DICOM_PORT: ports['4242'],
  }
  const ready: Readonly<Record<string, string>> = { orthanc: 'Orthanc has started', ris: 'ris ready' }
  const open = new Map<string, ReturnType<typeof terminal>>()
  const first = blocks.find(({ label }) => label === 'all')?.text ?? ''
  let last = ''
  let commands = 0

  for (const { language, label, text } of blocks) {
    if (label === 'all') continue
    if (language === 'sh' && label !== '') {
      const running = terminal(`${first}${text}`, env)
      undo.push(() => running.interrupt())
      open.set(label, running)
      last = label
      const sign = ready[label]
      if (sign !== undefined) await eventually(() => running.output().includes(sign), `${label}: ${sign}`)
    } else if (language === 'sh') {
      const ran = terminal(`${first}${text}`, env)
      const code = await ran.ended
      expect({ text, code, output: ran.output() }).toMatchObject({ code: 0 })
      open.set('', ran)
      last = ''
      commands += 1
    } else {
      const shown = open.get(label === '' ? last : label)
      await eventually(
        () => shows(shown?.output() ?? '', text) || Promise.reject(new Error(shown?.output())),
        `the output holds\n${text}`,
        20,
      )
    }
  }
  expect(commands).toBeGreaterThan(6)
})
