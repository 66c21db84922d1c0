import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../support/temporary.ts'
import { bareMachine, type Machine } from './machine.ts'

let machine: Machine
beforeEach(() => {
  machine = bareMachine()
})
afterEach(() => machine.end())

const everything = 'redis-server orthanc orthanc-python dcmtk'
const callsOf = (name: string): readonly string[] => machine.calls().filter((call) => call.startsWith(name))

test('the first run brings everything, the second does none of it', async () => {
  const first = await machine.setup()
  expect(first).toMatchObject({ code: 0 })
  expect(first.said).toContain('ready (v')
  expect(callsOf('npm')).toHaveLength(1)
  expect(callsOf('apt-get')).toHaveLength(1)
  expect(callsOf('apt-get')[0]).toMatch(new RegExp(` ${everything}$`))
  const before = machine.calls().length
  const second = await machine.setup()
  expect(second.code).toBe(0)
  expect(second.said).toMatch(/^setup: ready \(v\d+\.\d+\.\d+\)\n$/)
  expect(machine.calls()).toHaveLength(before)
})

test('--quiet says nothing when there is nothing to do', async () => {
  await machine.setup()
  expect(await machine.setup(['--quiet'])).toEqual({ code: 0, said: '' })
})

test('another package-lock.json brings other packages', async () => {
  await machine.setup()
  appendFileSync(join(machine.project, 'package-lock.json'), '\n')
  await machine.setup()
  expect(callsOf('npm')).toHaveLength(2)
})

test('packages that somebody installed by hand are taken as they are while they are newer than the lock file', async () => {
  const modules = join(machine.project, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  writeFileSync(join(modules, '.package-lock.json'), '{}')
  const past = new Date(Date.now() - 60_000)
  utimesSync(join(machine.project, 'package-lock.json'), past, past)
  machine.command('node', 'echo 99')
  await machine.setup(['--need', 'none'])
  expect(callsOf('npm')).toHaveLength(0)
  rmSync(join(modules, '.worklane-setup'))
  const earlier = new Date(Date.now() - 120_000)
  utimesSync(join(modules, '.package-lock.json'), earlier, earlier)
  await machine.setup(['--need', 'none'])
  expect(callsOf('npm')).toHaveLength(1)
})

test('npm ci that fails is said, and tried again the next time', async () => {
  machine.command('npm', 'mkdir -p node_modules; echo "no network" >&2; exit 1')
  const failed = await machine.setup()
  expect(failed.code).toBe(1)
  expect(failed.said).toMatch(/no network[^]*npm ci failed/)
  expect(callsOf('apt-get')).toEqual([])
  await machine.setup()
  expect(callsOf('npm')).toHaveLength(2)
})

test('development packages come whatever NODE_ENV says', async () => {
  await machine.setup(['--need', 'none'], { NODE_ENV: 'production' })
  expect(callsOf('npm')[0]).toContain('--include=dev')
})

test('a Node whose install script was blocked is repaired in one step', async () => {
  machine.command(
    'npm',
    'mkdir -p node_modules/.bin node_modules/node && touch node_modules/node/installArchSpecificPackage.js',
  )
  machine.command('node', `case $1 in -p) echo 20 ;; *) mkdir -p bin && ln -sf "${process.execPath}" bin/node ;; esac`)
  const result = await machine.setup(['--need', 'none'])
  expect(result.said).toContain('installing Node')
  expect(result).toMatchObject({ code: 0 })
})

test('a Node that cannot be had is one sentence', async () => {
  machine.command('npm', 'mkdir -p node_modules')
  const result = await machine.setup(['--need', 'none'])
  expect(result.code).toBe(1)
  expect(result.said.trim().split('\n').at(-1)).toMatch(/^setup: Node \d+ could not be installed/)
})

test('services cannot start while apt works, nor at the next boot; afterwards the machine is as it was', async () => {
  await machine.setup()
  expect(machine.calls()).toContain('services denied')
  expect(existsSync(machine.policy)).toBe(false)
  expect(callsOf('systemctl')).toEqual(['systemctl disable redis-server', 'systemctl disable orthanc'])
})

test('a service that was here before is left as it was', async () => {
  await machine.setup(['--need', 'redis'])
  await machine.setup()
  expect(callsOf('systemctl')).toEqual(['systemctl disable redis-server', 'systemctl disable orthanc'])
  expect(callsOf('apt-get').at(-1)).toMatch(/ orthanc orthanc-python dcmtk$/)
})

test('the machine is as it was when apt fails, and the lists are fetched before it is tried again', async () => {
  machine.command('apt-get', 'exit 100')
  const result = await machine.setup()
  expect(result.code).toBe(1)
  expect(result.said).toContain('could not install redis-server')
  expect(callsOf('apt-get').map((call) => call.split(' ')[1])).toEqual(['install', 'update', 'install'])
  expect(existsSync(machine.policy)).toBe(false)
})

test('the machine is as it was after a signal in the middle of apt', async () => {
  machine.command('apt-get', `while [ ! -e "${machine.project}/go-on" ]; do sleep 0.05; done`)
  const { pid, ended } = machine.begin()
  await eventually(() => callsOf('apt-get').length > 0 && existsSync(machine.policy), 'apt runs')
  process.kill(pid, 'SIGTERM')
  writeFileSync(join(machine.project, 'go-on'), '')
  expect((await ended).code).toBe(143)
  expect(existsSync(machine.policy)).toBe(false)
})

test('a policy of the machine itself stays', async () => {
  writeFileSync(machine.policy, '#!/bin/sh\nexit 101\n')
  chmodSync(machine.policy, 0o755)
  const denied = await machine.setup()
  expect(denied.said).not.toContain('note:')
  expect(readFileSync(machine.policy, 'utf8')).toBe('#!/bin/sh\nexit 101\n')
})

test('a policy of the machine that lets services start is said', async () => {
  writeFileSync(machine.policy, '#!/bin/sh\nexit 0\n')
  chmodSync(machine.policy, 0o755)
  expect((await machine.setup()).said).toContain('lets apt start services')
})

test('who is neither root nor on a terminal is told in one sentence what to install', async () => {
  machine.command('id', 'echo 1000')
  const result = await machine.setup(['--quiet'])
  expect(result.code).toBe(1)
  expect(result.said.trim().split('\n').at(-1)).toBe(
    `setup: missing: ${everything}. To go on: sudo apt-get install ${everything}`,
  )
  expect(callsOf('apt-get')).toEqual([])
})

test('sudo is used where it asks for no password', async () => {
  machine.command('id', 'echo 1000')
  machine.command('sudo', '[ "$1" = -n ] && shift; "$@"')
  expect(await machine.setup()).toMatchObject({ code: 0 })
  expect(machine.calls()[1]).toBe('sudo -n true')
  expect(callsOf('apt-get')).toHaveLength(1)
  expect(existsSync(machine.policy)).toBe(false)
})

test('a system without apt is told what it lacks', async () => {
  machine.remove('apt-get')
  const result = await machine.setup()
  expect(result.code).toBe(1)
  expect(result.said).toContain(`missing: ${everything}. Install what your system calls these`)
})

test.skipIf(!existsSync('/usr/bin/script')).each([
  ['', 0, 1],
  ['y', 0, 1],
  ['n', 1, 0],
])('on a terminal it asks first; the answer "%s" gives exit code %i', async (answer, code, installs) => {
  const result = await machine.onTerminal(answer)
  expect(result.said).toContain('No service is started. [Y/n]')
  expect(result.code).toBe(code)
  expect(callsOf('apt-get')).toHaveLength(installs)
})

test.each([
  ['redis', {}, ['redis-server']],
  ['redis', { WORKLANE_REDIS_URL: 'redis://127.0.0.1:6379' }, []],
  ['none', {}, []],
] as const)('--need %s with %o asks apt for %o', async (need, environment, packages) => {
  expect(await machine.setup(['--need', need], environment)).toMatchObject({ code: 0 })
  expect(callsOf('apt-get').map((call) => call.split(' ').at(-1))).toEqual(packages)
})

test('--run becomes the file, with its arguments, its folder and its exit code', async () => {
  const file = join(machine.project, 'show.ts')
  const source = 'console.log(JSON.stringify([process.argv.slice(2), process.pid]))\nprocess.exitCode = 7\n'
  writeFileSync(file, source)
  await machine.setup()
  const { pid, ended } = machine.begin(['--quiet', '--run', 'show.ts', '--once', 'two words'])
  const { code, said } = await ended
  expect(code).toBe(7)
  // The same process: a signal to the script is a signal to the engine.
  expect(JSON.parse(said)).toEqual([['--once', 'two words'], pid])
})

test('npm start becomes the engine: a signal to npm is a signal to it', async () => {
  mkdirSync(join(machine.project, 'src'))
  writeFileSync(join(machine.project, 'src/main.ts'), 'console.log(process.pid)\n')
  await machine.setup()
  const { pid, ended } = machine.npmRun('start')
  expect(await ended).toEqual({ code: 0, said: `${pid}\n` })
})

test.each([[['--need']], [['--need', 'orthanc']], [['--run']], [['--help-me']]])('%o is refused', async (args) => {
  const result = await machine.setup(args)
  expect(result.code).toBe(1)
  expect(result.said.trim().split('\n')).toHaveLength(1)
  expect(machine.calls()).toEqual([])
})
