/**
 * What can be said of docker-compose.yml, Dockerfile and .dockerignore without a
 * Docker engine: that they are well formed, that what they name exists in the
 * project, and that the promises of their comments are kept.
 */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { composeSchema, type Compose, type Service } from './compose-schema.ts'

/** The project as the checks see it; tests hand in one with something renamed. */
export interface Project {
  readonly compose: string
  readonly dockerfile: string
  readonly dockerignore: string
  /** Content of a file, `''` of a folder, undefined where there is none. Paths are relative to the root. */
  readonly read: (path: string) => string | undefined
}

interface Stage {
  readonly name: string
  readonly from: string
  readonly steps: readonly { readonly verb: string; readonly rest: string }[]
}

/** Read by the base images and the operating system, not by us. */
const foreignVariables = ['TZ', 'NODE_ENV', 'TCP_NODELAY']
/** Files whose `${NAME}` or quoted NAME makes a variable known. */
const variableReaders = [
  'config/worklane.yaml',
  'config/orthanc/plugin.json',
  'connectors/orthanc/plugin/worklane.py',
  'src/config/site.ts',
]
const pinned = /^[a-z0-9./-]+:\d+\.\d+[\w.-]*$/
const onLoopback = /^127\.0\.0\.1:(\d+):(\d+)$/

const ajv = new Ajv2020({ allErrors: true, strictTuples: false })
const isCompose = ajv.compile(composeSchema)

export function problemsOf(project: Project): readonly string[] {
  const compose = parse(project.compose) as Compose
  if (!isCompose(compose)) return [`docker-compose.yml: ${ajv.errorsText(isCompose.errors)}`]
  const stages = stagesOf(project.dockerfile)
  return [
    ...imageProblems(compose, stages, project),
    ...copyProblems(stages, project),
    ...pathProblems(compose, stages, project),
    ...variableProblems(compose, stages, project),
    ...portProblems(compose, stages, project),
    ...referenceProblems(compose),
    ...promiseProblems(compose, stages, project),
  ]
}

function stagesOf(dockerfile: string): readonly Stage[] {
  const lines = dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const stages: { name: string; from: string; steps: { verb: string; rest: string }[] }[] = []
  for (const line of lines) {
    const [, verb = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
    const from = /^(\S+) AS (\w+)$/.exec(rest)
    if (verb === 'FROM' && from !== null) stages.push({ from: from[1] ?? '', name: from[2] ?? '', steps: [] })
    else stages.at(-1)?.steps.push({ verb, rest })
  }
  return stages
}

function steps(stage: Stage | undefined, verb: string): readonly string[] {
  return (stage?.steps ?? []).filter((step) => step.verb === verb).map((step) => step.rest)
}

function stageOf(service: Service, stages: readonly Stage[]): Stage | undefined {
  return stages.find((stage) => stage.name === service.build?.target)
}

/** Versions are named, and Node is the one that the tests run with. */
function imageProblems(compose: Compose, stages: readonly Stage[], project: Project): string[] {
  const { devDependencies, version } = JSON.parse(project.read('package.json') ?? '{}') as {
    devDependencies: { node: string }
    version: string
  }
  const problems: string[] = []
  for (const { from } of stages) {
    if (!pinned.test(from)) problems.push(`image ${from} is not pinned`)
    if (from.startsWith('node:') && !from.startsWith(`node:${devDependencies.node}-`)) {
      problems.push(`image ${from} is not Node ${devDependencies.node} of package.json`)
    }
  }
  for (const [name, service] of Object.entries(compose.services)) {
    if (!pinned.test(service.image)) problems.push(`${name}: image ${service.image} is not pinned`)
    if (service.build === undefined) continue
    if (stageOf(service, stages) === undefined)
      problems.push(`${name}: the Dockerfile has no stage ${service.build.target}`)
    if (!service.image.endsWith(`:${version}`))
      problems.push(`${name}: image ${service.image} is not version ${version}`)
  }
  return problems
}

function isIgnored(path: string, dockerignore: string): boolean {
  let ignored = false
  for (const line of dockerignore.split('\n')) {
    const rule = line.trim()
    if (rule === '' || rule.startsWith('#')) continue
    const pattern = rule.replace(/^!/, '')
    if (pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)) ignored = !rule.startsWith('!')
  }
  return ignored
}

/** What is copied exists and reaches the build. */
function copyProblems(stages: readonly Stage[], { read, dockerignore }: Project): string[] {
  return stages.flatMap((stage) =>
    steps(stage, 'COPY').flatMap((rest) => {
      const words = rest.split(/\s+/)
      const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
      if (from !== undefined)
        return stages.some((one) => one.name === from) ? [] : [`COPY --from=${from}: no such stage`]
      return words.slice(0, -1).flatMap((path) => {
        if (read(path) === undefined) return [`COPY ${path}: not in the project`]
        return isIgnored(path, dockerignore) ? [`COPY ${path}: left out by .dockerignore`] : []
      })
    }),
  )
}

/** Where a path in the container of this stage comes from in the project; undefined where it is the image's own. */
function origin(path: string, stage: Stage | undefined): string | undefined {
  const workdir = steps(stage, 'WORKDIR').at(-1) ?? '/'
  const absolute = path.startsWith('/') ? path : `${workdir}/${path}`
  for (const rest of steps(stage, 'COPY')) {
    const words = rest.split(/\s+/)
    if (words[0]?.startsWith('--from=') === true) continue
    const to = words.at(-1) ?? ''
    for (const source of words.slice(0, -1)) {
      const target = to === './' ? `${workdir}/${source}` : to.startsWith('/') ? to : `${workdir}/${to}`
      if (absolute === target || absolute.startsWith(`${target}/`)) return source + absolute.slice(target.length)
    }
  }
  return undefined
}

function environmentOf(service: Service, stage: Stage | undefined): Record<string, string> {
  const ofStage = steps(stage, 'ENV').flatMap((rest) => rest.trim().split(/\s+/))
  const image = Object.fromEntries(ofStage.map((one) => one.split('=', 2) as [string, string]))
  return { ...image, ...service.environment }
}

/** Files and folders named by mounts, entry points and variables are in the project. */
function pathProblems(compose: Compose, stages: readonly Stage[], { read }: Project): string[] {
  const problems: string[] = []
  for (const [name, service] of Object.entries(compose.services)) {
    const stage = stageOf(service, stages)
    for (const mount of service.volumes ?? []) {
      const [source = '', target = '', mode] = mount.split(':')
      if (source.startsWith('./')) {
        if (read(source.slice(2)) === undefined) problems.push(`${name}: ${source} is not in the project`)
        if (mode !== 'ro') problems.push(`${name}: ${source} is not mounted read-only`)
        if (stage !== undefined && origin(target, stage) !== source.slice(2))
          problems.push(`${name}: ${target} hides nothing of ${source}`)
      } else if (compose.volumes?.[source] === undefined) problems.push(`${name}: volume ${source} is not declared`)
      else if (
        stage !== undefined &&
        !steps(stage, 'RUN').some((run) => run.includes(`install -d`) && run.endsWith(target))
      ) {
        problems.push(`${name}: the image does not make ${target}, its user could not write there`)
      }
    }
    const words = [
      ...steps(stage, 'ENTRYPOINT').flatMap((one) => JSON.parse(one) as string[]),
      ...Object.values(environmentOf(service, stage)),
    ]
    for (const word of words.filter((one) => /^(\/app\/|\/etc\/orthanc\/|src\/)/.test(one))) {
      const path = origin(word, stage)
      if (path === undefined || read(path) === undefined) problems.push(`${name}: ${word} is not in the project`)
    }
    for (const word of service.command ?? []) {
      if (word.startsWith('/') && !(service.volumes ?? []).some((mount) => mount.split(':')[1] === word)) {
        problems.push(`${name}: ${word} is not mounted`)
      }
    }
  }
  for (const volume of Object.keys(compose.volumes ?? {})) {
    const isUsed = Object.values(compose.services).some((one) =>
      one.volumes?.some((mount) => mount.startsWith(`${volume}:`)),
    )
    if (!isUsed) problems.push(`volume ${volume} is used by nobody`)
  }
  // What Orthanc's configuration names lies where the image puts it.
  const stage = stages.find((one) => one.name === 'orthanc')
  const folder = environmentOf({ image: '' }, stage)['WORKLANE_PLUGIN_DIR'] ?? ''
  for (const match of (read('config/orthanc/plugin.json') ?? '').matchAll(
    /\$\{WORKLANE_PLUGIN_DIR:-([^}]*)\}\/([\w.-]+)/g,
  )) {
    const path = origin(`${folder}/${match[2]}`, stage)
    if (path === undefined || read(path) === undefined)
      problems.push(`config/orthanc/plugin.json names ${match[2]}, which the image does not have`)
  }
  return problems
}

/** Variables are known to whom they are given, and secrets have no default. */
function variableProblems(compose: Compose, stages: readonly Stage[], { read, compose: text }: Project): string[] {
  const readers = variableReaders.map((path) => read(path) ?? '').join('\n')
  const known = new Set([...readers.matchAll(/\b(?:WORKLANE|ORTHANC)_[A-Z_]+\b/g)].map((match) => match[0]))
  const problems: string[] = []
  for (const [name, service] of Object.entries(compose.services)) {
    for (const variable of Object.keys(environmentOf(service, stageOf(service, stages)))) {
      if (!known.has(variable) && !foreignVariables.includes(variable))
        problems.push(`${name}: nobody reads ${variable}`)
    }
  }
  for (const [, variable = '', rest = ''] of text.matchAll(/\$\{(\w+)([^}]*)\}/g)) {
    const isSecret = /TOKEN|PASSWORD/.test(variable)
    if (!known.has(variable) && !foreignVariables.includes(variable))
      problems.push(`docker-compose.yml: nobody reads ${variable}`)
    if (isSecret && !rest.startsWith(':?'))
      problems.push(`docker-compose.yml: ${variable} must be given, not have a default`)
  }
  return problems
}

/** Ports are those that the settings name, and reachable from this machine only. */
function portProblems(compose: Compose, stages: readonly Stage[], { read }: Project): string[] {
  const defaults = `${read('config/worklane.yaml')}\n${read('config/orthanc/plugin.json')}`
  const port = (name: string): string =>
    new RegExp(`\\$\\{${name}:-(\\d+)\\}`).exec(defaults)?.[1] ?? `without default ${name}`
  const expected: Record<string, readonly string[]> = {
    engine: [port('WORKLANE_MLLP_PORT'), port('WORKLANE_HTTP_PORT')],
    orthanc: [port('ORTHANC_DICOM_PORT'), port('ORTHANC_HTTP_PORT')],
    redis: [],
  }
  const problems: string[] = []
  for (const [name, service] of Object.entries(compose.services)) {
    const published = (service.ports ?? []).map((one) => onLoopback.exec(one))
    if (published.includes(null)) problems.push(`${name}: a port is published to other machines`)
    const ports = published.map((one) => one?.[2] ?? '').join(' ')
    const exposed = steps(stageOf(service, stages), 'EXPOSE').join(' ')
    const wanted = (expected[name] ?? []).join(' ')
    if (ports !== wanted) problems.push(`${name}: publishes ${ports}, the settings say ${wanted}`)
    if (exposed !== wanted) problems.push(`${name}: exposes ${exposed}, the settings say ${wanted}`)
    const [dicomOrMllp = '', http = ''] = expected[name] ?? []
    for (const check of steps(stageOf(service, stages), 'HEALTHCHECK')) {
      if (!check.includes(name === 'engine' ? `:${http}/health/ready` : `"${dicomOrMllp}"`))
        problems.push(`${name}: its health check asks another port`)
    }
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      const url = /^(?:https?|redis):\/\/([\w-]+):(\d+)/.exec(value)
      if (url === null) continue
      const [, host = '', at = ''] = url
      const good = host === 'redis' ? ['6379'] : (expected[host] ?? []).slice(1)
      if (compose.services[host] === undefined) problems.push(`${name}: ${variable} names no service`)
      else if (!good.includes(at))
        problems.push(`${name}: ${variable} names port ${at}, ${host} listens on ${good.join(' ')}`)
      else if (!(service.networks ?? []).some((one) => compose.services[host]?.networks?.includes(one))) {
        problems.push(`${name}: ${variable} names ${host}, which is in another network`)
      }
    }
  }
  return problems
}

function referenceProblems(compose: Compose): string[] {
  return Object.entries(compose.services).flatMap(([name, service]) => [
    ...Object.keys(service.depends_on ?? {}).flatMap((other) => {
      const found = compose.services[other]
      return found === undefined ? [`${name}: depends on ${other}, which is not there`] : []
    }),
    ...(service.networks ?? []).flatMap((one) =>
      compose.networks?.[one] === undefined ? [`${name}: network ${one} is not declared`] : [],
    ),
  ])
}

/** What the files say of themselves, and what the design asks of them. */
function promiseProblems(compose: Compose, stages: readonly Stage[], { read }: Project): string[] {
  const { redis, engine, orthanc } = compose.services
  const redisConfig = read('config/redis.conf') ?? ''
  const orthancConfig = read('config/orthanc/plugin.json') ?? ''
  const stage = stages.find((one) => one.name === 'orthanc')
  const promises: readonly [boolean, string][] = [
    [
      /^appendonly yes$/m.test(redisConfig) && /^appendfsync always$/m.test(redisConfig),
      'Redis does not keep every write (appendfsync always)',
    ],
    [/^maxmemory-policy noeviction$/m.test(redisConfig), 'Redis may forget orders (maxmemory-policy)'],
    [redis?.volumes?.some((one) => one.endsWith(':/data')) === true, "Redis's data lies in no volume"],
    [
      compose.networks?.['store']?.internal === true && redis?.networks?.join() === 'store',
      'Redis is reached by others than the engine',
    ],
    [engine?.depends_on?.['redis']?.condition === 'service_healthy', 'the engine does not wait for Redis'],
    [engine?.environment?.['WORKLANE_ORTHANC_TARGET'] === 'plugin', 'the engine does not serve the plugin'],
    [environmentOf(orthanc ?? { image: '' }, stage)['TCP_NODELAY'] === '1', 'Orthanc runs without TCP_NODELAY=1'],
    [/"DefaultEncoding"\s*:\s*"Utf8"/.test(orthancConfig), "Orthanc's DefaultEncoding is not Utf8"],
    [
      (/"Plugins"\s*:\s*\[([^\]]*)\]/.exec(orthancConfig)?.[1] ?? '')
        .split(',')
        .map((one) => /[\w]+\.so/.exec(one)?.[0])
        .join() === 'libOrthancPython.so',
      'Orthanc has another plugin beside ours',
    ],
    [
      steps(stage, 'RUN').some((run) => run.includes('orthanc orthanc-python')),
      'the image of Orthanc lacks its Python plugin',
    ],
    ...Object.entries(compose.services).flatMap(([name, service]): [boolean, string][] => {
      const own = stageOf(service, stages)
      const user = service.user ?? steps(own, 'USER').at(-1)
      return [
        [user !== undefined && user !== 'root', `${name} runs as root`],
        [service.healthcheck !== undefined || steps(own, 'HEALTHCHECK').length > 0, `${name} has no health check`],
        [service.restart === 'unless-stopped', `${name} is not started again`],
      ]
    }),
  ]
  return promises.filter(([kept]) => !kept).map(([, broken]) => broken)
}
