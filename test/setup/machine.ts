import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { temporaryFolder } from '../support/temporary.ts'

const project = resolve(import.meta.dirname, '../..')

/** What setup.sh may call of a bare Debian; all else of this machine is out of its sight. */
const tools = [
  'cat',
  'chmod',
  'cksum',
  'dirname',
  'env',
  'find',
  'grep',
  'head',
  'ln',
  'mkdir',
  'rm',
  'sed',
  'sh',
  'sleep',
]
const moreTools = ['tail', 'tee', 'touch', 'tr']

export interface Result {
  readonly code: number | null
  readonly said: string
}

export interface Machine {
  /** Root of the project on this machine: setup.sh, package.json and package-lock.json. */
  readonly project: string
  readonly policy: string
  /** What was called, in order: `npm ci ...`, `apt-get install ...`. */
  calls(): readonly string[]
  /** A command of this machine; `body` is sh. */
  command(name: string, body: string): void
  remove(name: string): void
  setup(args?: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Result>
  /** As `setup`, with the process to send signals to. */
  begin(args?: readonly string[]): { readonly pid: number; readonly ended: Promise<Result> }
  /** A script of package.json, run as npm runs it. */
  npmRun(script: string): { readonly pid: number; readonly ended: Promise<Result> }
  /** As `setup`, on a terminal, answering its question. */
  onTerminal(answer: string): Promise<Result>
  end(): void
}

/** A machine made of stubs: Node 20, npm and apt, where apt brings exactly what it is asked for. */
export function bareMachine(): Machine {
  const folder = temporaryFolder()
  const [home, bin, root] = [join(folder.path, 'project'), join(folder.path, 'bin'), join(folder.path, 'root')]
  for (const one of [home, bin, join(root, 'usr/sbin'), join(root, 'usr/bin')]) mkdirSync(one, { recursive: true })
  for (const file of ['setup.sh', 'package.json', 'package-lock.json'])
    copyFileSync(join(project, file), join(home, file))
  for (const tool of [...tools, ...moreTools]) {
    const found = ['/usr/bin', '/bin'].map((one) => join(one, tool)).find((one) => existsSync(one))
    if (found !== undefined) symlinkSync(found, join(bin, tool))
  }
  const log = join(folder.path, 'calls')
  writeFileSync(log, '')
  const command = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${log}"\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  command('id', 'echo 0')
  command('node', 'echo 20')
  command('npm', `mkdir -p node_modules/.bin && ln -sf "${process.execPath}" node_modules/.bin/node`)
  command('systemctl', '')
  command(
    'apt-get',
    `[ "$1" = install ] || exit 0
if [ -e "${root}/usr/sbin/policy-rc.d" ]; then echo 'services denied' >>"${log}"; fi
for one; do
  case $one in
    redis-server) touch "${root}/usr/bin/redis-server"; chmod 755 "${root}/usr/bin/redis-server" ;;
    orthanc) touch "${root}/usr/sbin/Orthanc"; chmod 755 "${root}/usr/sbin/Orthanc" ;;
    orthanc-python) mkdir -p "${root}/usr/share/orthanc/plugins"; touch "${root}/usr/share/orthanc/plugins/libOrthancPython.so" ;;
    dcmtk) for tool in findscu storescu wlmscpfs; do touch "${root}/usr/bin/$tool"; chmod 755 "${root}/usr/bin/$tool"; done ;;
  esac
done`,
  )

  const environment = { PATH: bin, HOME: folder.path, WORKLANE_SETUP_MACHINE: root }
  const run = (file: string, args: readonly string[], more: Readonly<Record<string, string>>, input?: string) => {
    const child = spawn(file, args, {
      env: { ...environment, ...more },
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: home,
    })
    const said: Buffer[] = []
    child.stdout.on('data', (bytes: Buffer) => said.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => said.push(bytes))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const ended = new Promise<Result>((done, reject) => {
      child.once('error', reject)
      child.once('close', (code) => done({ code, said: Buffer.concat(said).toString() }))
    })
    return { pid: child.pid ?? 0, ended }
  }
  const script = join(home, 'setup.sh')
  return {
    project: home,
    policy: join(root, 'usr/sbin/policy-rc.d'),
    calls: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('id ') && !line.startsWith('node ')),
    command,
    remove: (name) => rmSync(join(bin, name)),
    setup: (args = [], more = {}) => run('/bin/sh', [script, ...args], more).ended,
    npmRun(name) {
      const { scripts } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
        scripts: Readonly<Record<string, string>>
      }
      return run('/bin/sh', ['-c', '--', scripts[name] ?? 'exit 99'], {})
    },
    begin: (args = []) => run('/bin/sh', [script, ...args], {}),
    // script(1) gives the command a terminal; the answer waits in it until it is asked for.
    onTerminal: (answer) =>
      run('/usr/bin/script', ['-qefc', `sh "${script}"`, '/dev/null'], { SHELL: '/bin/sh' }, `${answer}\n`).ended,
    end: () => folder.remove(),
  }
}
