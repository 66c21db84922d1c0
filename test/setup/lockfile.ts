/**
 * package-lock.json names every optional dependency, also those of other systems:
 * without them `npm ci` refuses. npm leaves out the ones that its registry does not
 * have (a mirror that holds only Linux packages, say).
 *
 * Run it after `npm install`: `sh setup.sh --run test/setup/lockfile.ts` completes the file.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

const lockfilePath = join(resolve(import.meta.dirname, '../..'), 'package-lock.json')

export function readLockfile(): Lockfile {
  return JSON.parse(readFileSync(lockfilePath, 'utf8')) as Lockfile
}

/** Entries that are missing, by their place in the file. */
export function missingOptional({ packages }: Lockfile): Readonly<Record<string, LockedPackage>> {
  const missing: Record<string, LockedPackage> = {}
  for (const [place, locked] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const places = [`${place}/node_modules/${name}`, `node_modules/${name}`]
      if (places.some((one) => one in packages)) continue
      missing[`node_modules/${name}`] = {
        version,
        ...(locked.dev === true ? { dev: true } : {}),
        ...systemOf(name),
        optional: true,
      } as LockedPackage
    }
  }
  return missing
}

/** What such names say: `binding-linux-x64-musl` is for os linux, cpu x64, libc musl. */
function systemOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const os = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'].find((one) => name.includes(one))
  const cpu = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'].find((one) => name.includes(`-${one}`))
  const libc = /musl/.test(name) ? 'musl' : /-gnu/.test(name) ? 'glibc' : undefined
  return {
    ...(os === undefined ? {} : { os: [os] }),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
  }
}

if (process.argv[1] === import.meta.filename) {
  const lockfile = readLockfile()
  const missing = missingOptional(lockfile)
  const packages = { ...lockfile.packages, ...missing }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(lockfilePath, `${JSON.stringify({ ...lockfile, packages: sorted }, null, 2)}\n`)
  process.stdout.write(`${Object.keys(missing).length} entries added to package-lock.json\n`)
}
