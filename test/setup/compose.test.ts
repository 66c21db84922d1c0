import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary.ts'
import { problemsOf, type Project } from './containers.ts'

const root = resolve(import.meta.dirname, '../..')

function read(path: string): string | undefined {
  const file = join(root, path)
  if (!existsSync(file)) return undefined
  return statSync(file).isDirectory() ? '' : readFileSync(file, 'utf8')
}

const project: Project = {
  compose: read('docker-compose.yml') ?? '',
  dockerfile: read('Dockerfile') ?? '',
  dockerignore: read('.dockerignore') ?? '',
  read,
}

/** The project with a text of one of its files replaced by another. */
function changed(file: string, from: string, to: string): Project {
  const text = read(file) ?? ''
  if (!text.includes(from)) throw new Error(`${file} does not contain "${from}": the test proves nothing`)
  const after = text.replace(from, to)
  if (file === 'docker-compose.yml') return { ...project, compose: after }
  if (file === 'Dockerfile') return { ...project, dockerfile: after }
  if (file === '.dockerignore') return { ...project, dockerignore: after }
  return { ...project, read: (path) => (path === file ? after : read(path)) }
}

/** The project after `git mv path elsewhere`. */
function without(path: string): Project {
  return { ...project, read: (asked) => (asked === path || asked.startsWith(`${path}/`) ? undefined : read(asked)) }
}

test('compose file and Dockerfile name only what exists, and keep what they promise', () => {
  expect(problemsOf(project)).toEqual([])
})

test.each([
  'src',
  'src/main.ts',
  'connectors',
  'pipelines',
  'config',
  'config/worklane.yaml',
  'config/redis.conf',
  'config/orthanc/plugin.json',
  'connectors/orthanc/plugin',
  'connectors/orthanc/plugin/worklane.py',
  'connectors/orthanc/plugin/worklist-request.lua',
  'package-lock.json',
  '.npmrc',
  'LICENSE',
])('renaming %s is noticed', (path) => {
  expect(read(path)).toBeDefined()
  const known = problemsOf(project)
  expect(problemsOf(without(path)).filter((problem) => !known.includes(problem))).not.toEqual([])
})

test.each([
  // variables
  ['config/worklane.yaml', 'WORKLANE_REDIS_URL', 'WORKLANE_STORE_URL', 'nobody reads WORKLANE_REDIS_URL'],
  ['config/worklane.yaml', 'WORKLANE_QUIET_SECONDS', 'WORKLANE_QUIET', 'nobody reads WORKLANE_QUIET_SECONDS'],
  ['docker-compose.yml', 'WORKLANE_COMPLETION:', 'WORKLANE_COMPLETE:', 'nobody reads WORKLANE_COMPLETE'],
  ['docker-compose.yml', 'ORTHANC_REMOTE_ACCESS:', 'ORTHANC_REMOTE:', 'nobody reads ORTHANC_REMOTE'],
  ['docker-compose.yml', '${WORKLANE_TOKEN:?', '${WORKLANE_TOKEN:-', 'must be given'],
  [
    'Dockerfile',
    'WORKLANE_PLUGIN_DIR=/etc/orthanc/worklane',
    'WORKLANE_PLUGIN_DIR=/etc/orthanc/x',
    'worklane.py, which the image does not have',
  ],
  [
    'Dockerfile',
    'WORKLANE_CONFIG=/app/config/worklane.yaml',
    'WORKLANE_CONFIG=/app/config/site.yaml',
    'is not in the project',
  ],
  // ports
  ['config/worklane.yaml', 'WORKLANE_HTTP_PORT:-8575', 'WORKLANE_HTTP_PORT:-8576', 'the settings say 2575 8576'],
  ['config/worklane.yaml', 'WORKLANE_MLLP_PORT:-2575', 'WORKLANE_MLLP_PORT:-2576', 'the settings say 2576'],
  ['config/orthanc/plugin.json', 'ORTHANC_DICOM_PORT:-4242', 'ORTHANC_DICOM_PORT:-104', 'the settings say 104'],
  ['docker-compose.yml', '127.0.0.1:2575:2575', '2575:2575', 'published to other machines'],
  ['docker-compose.yml', 'http://engine:8575', 'http://engine:8080', 'names port 8080'],
  ['docker-compose.yml', 'http://engine:8575', 'http://worklane:8575', 'names no service'],
  ['docker-compose.yml', 'redis://redis:6379/0', 'redis://redis:6380/0', 'names port 6380'],
  ['Dockerfile', ':8575/health/ready', ':8575/health', 'health check'],
  ['Dockerfile', '"127.0.0.1", "4242"', '"127.0.0.1", "104"', 'health check'],
  // versions
  ['docker-compose.yml', 'redis:7.0.15-bookworm', 'redis:latest', 'not pinned'],
  ['Dockerfile', 'debian:12.11-slim', 'debian', 'not pinned'],
  ['Dockerfile', 'node:24.21.0-bookworm-slim AS engine', 'node:22.1.0-bookworm-slim AS engine', 'is not Node'],
  ['docker-compose.yml', 'worklane/engine:0.2.0', 'worklane/engine:0.0.9', 'is not version'],
  // structure
  ['docker-compose.yml', 'restart: unless-stopped', 'restarts: unless-stopped', 'must NOT have additional properties'],
  ['docker-compose.yml', 'ORTHANC_REMOTE_ACCESS: "true"', 'ORTHANC_REMOTE_ACCESS: true', 'must be string'],
  ['docker-compose.yml', 'target: orthanc', 'target: pacs', 'no stage pacs'],
  ['docker-compose.yml', 'redis-data:/data', 'redis:/data', 'volume redis is not declared'],
  [
    'docker-compose.yml',
    'worklane-data:/var/lib/worklane',
    'worklane-data:/var/worklane',
    'does not make /var/worklane',
  ],
  ['docker-compose.yml', './pipelines:/app/pipelines:ro', './pipelines:/app/pipelines', 'read-only'],
  ['.dockerignore', '!connectors\n', '', 'left out by .dockerignore'],
  // promises
  ['config/redis.conf', 'appendfsync always', 'appendfsync everysec', 'keep every write'],
  ['config/redis.conf', 'noeviction', 'allkeys-lru', 'forget orders'],
  ['config/orthanc/plugin.json', '"DefaultEncoding": "Utf8"', '"DefaultEncoding": "Latin1"', 'DefaultEncoding'],
  [
    'config/orthanc/plugin.json',
    'libOrthancPython.so"]',
    'libOrthancPython.so", "libModalityWorklists.so"]',
    'another plugin',
  ],
  ['Dockerfile', 'USER node', 'USER root', 'engine runs as root'],
  ['Dockerfile', 'USER orthanc\n', '', 'orthanc runs as root'],
  ['docker-compose.yml', 'networks: [store]', 'networks: [store, front]', 'Redis is reached by others'],
  ['docker-compose.yml', 'condition: service_healthy', 'condition: service_started', 'does not wait for Redis'],
])('in %s, "%s" made "%s" is noticed', (file, from, to, problem) => {
  expect(problemsOf(changed(file, from, to)).join('\n')).toContain(problem)
})

test('the image of the engine, made without development packages, holds all that the sources import', () => {
  const { dependencies } = JSON.parse(read('package.json') ?? '{}') as {
    dependencies: Readonly<Record<string, string>>
  }
  const imported = ['src', 'connectors'].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
      .filter((file) => file.isFile() && /(?<!\.d)\.ts$/.test(file.name))
      .flatMap((file) => {
        const text = readFileSync(join(file.parentPath, file.name), 'utf8')
        const found = text.matchAll(/^(?:import|export) (?!type )[^'"=(;]*?\bfrom ['"]([^'".][^'"]*)['"]/gm)
        return [...found].map((match) => match[1] ?? '')
      }),
  )
  const packages = imported
    .filter((name) => !name.startsWith('node:'))
    .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '')
  expect(packages).toContain('fastify')
  expect([...new Set(packages)].filter((name) => dependencies[name] === undefined)).toEqual([])
})

/** The command line alone reads and checks the file; no Docker engine is needed for it. */
const command = [['docker', 'compose'], ['docker-compose']].find(
  ([file = '', ...words]) => spawnSync(file, [...words, 'version']).status === 0,
)

test.skipIf(command === undefined)('docker compose itself reads the file (skipped where it is not installed)', () => {
  const [docker = '', ...words] = command ?? []
  const folder = temporaryFolder()
  const empty = join(folder.path, 'empty')
  writeFileSync(empty, '')
  const config = (environment: Readonly<Record<string, string>>) =>
    spawnSync(docker, [...words, '-f', join(root, 'docker-compose.yml'), '--env-file', empty, 'config', '-q'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    })
  const secrets = { WORKLANE_TOKEN: 'x'.repeat(32), WORKLANE_ORTHANC_PASSWORD: 'x'.repeat(32) }
  expect(config(secrets)).toMatchObject({ status: 0, stderr: '' })
  const refused = config({})
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toContain('set it in .env')
  folder.remove()
})
