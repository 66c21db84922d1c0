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
      let ran = terminal(`${first}${text}`, env)
      let code = await ran.ended
      // A query that was refused for now (C-FIND status A700), as on a machine that is too busy, is asked again.
      for (let times = 0; code === refusedForNow && times < 3; times++) {
        ran = terminal(`${first}${text}`, env)
        code = await ran.ended
      }
      const others = [...open].map(([name, running]) => `${name}:\n${running.output()}`).join('\n')
      expect(code === 0 ? '' : `${text}\nended with ${code}:\n${ran.output()}\n${others}`).toBe('')
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
