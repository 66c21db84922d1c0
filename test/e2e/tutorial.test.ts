import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { blocksOf, page } from '../docs/pages.ts'
import { shows, terminal } from '../support/reader.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

/** Changes nothing, so that it may be asked twice. */
const isQuestion = (text: string): boolean =>
  /^(findscu|npm run -s worklane -- (items|messages)) ?[^\n]*\n?$/.test(text)

/** The exit code by which DCMTK's findscu tells A700. */
const refusedForNow = 0xa7

test.each(['docs/tutorial.md', 'docs/tutorial-your-ris.md'])('%s works as it is written', async (file) => {
  const home = temporaryFolder()
  undo.push(() => home.remove())
  const ports: Record<string, string> = {}
  for (const port of ['2575', '8575', '2576', '4242', '8042']) ports[port] = String(await freePort())
  const text = page(file).text.replaceAll(/\b(2575|8575|2576|4242|8042)\b/g, (port) => ports[port] ?? '')
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
  let asked = ''
  let commands = 0

  /** A command that has ended well; one that asks a modality's question asks again where it is refused for now. */
  async function typed(text: string) {
    let ran = terminal(`${first}${text}`, env)
    let code = await ran.ended
    // C-FIND status A700, as on a machine that is too busy.
    for (let times = 0; code === refusedForNow && times < 3; times++) {
      ran = terminal(`${first}${text}`, env)
      code = await ran.ended
    }
    const others = [...open].map(([name, running]) => `${name}:\n${running.output()}`).join('\n')
    expect(code === 0 ? '' : `${text}\nended with ${code}:\n${ran.output()}\n${others}`).toBe('')
    return ran
  }

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
      const ran = await typed(text)
      open.set('', ran)
      last = ''
      asked = text
      commands += 1
    } else {
      const from = label === '' ? last : label
      const output = (): string => open.get(from)?.output() ?? ''
      await eventually(
        async () => {
          if (shows(output(), text)) return true
          // AA says that an order is kept; a moment later it is to be seen.
          if (from === '' && isQuestion(asked)) open.set('', await typed(asked))
          return shows(output(), text) || Promise.reject(new Error(output()))
        },
        `the output holds\n${text}`,
        20,
      )
    }
  }
  expect(commands).toBeGreaterThan(6)
})
