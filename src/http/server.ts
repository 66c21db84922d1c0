import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Reloader } from '../core/configuration.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Counters, Log, MessageStore, PartHealth, WorklistAnswerer, WorklistStore } from '../core/ports.ts'
import type { Replayer, Replays } from '../core/replay.ts'
import { commandRoutes, type CommandParts } from './commands.ts'
import { configurationRoutes } from './configuration.ts'
import { letterRoutes } from './dead-letters.ts'
import { destinationRoutes, type DestinationParts } from './destinations.ts'
import { healthRoutes } from './health.ts'
import { messageRoutes } from './messages.ts'
import { openApi } from './openapi.ts'
import { orderRoutes, type OrderParts } from './orders.ts'
import { orthancChangeRoutes } from './orthanc-changes.ts'
import { performedRoutes, type PerformedParts } from './performed.ts'
import { pluginRoutes, type PluginParts } from './plugin.ts'
import { problemOf, problemType, Refusal } from './problem.ts'
import { readQuery } from './query.ts'
import { replayRoutes } from './replay.ts'
import { json, type Route } from './route.ts'
import { statusRoutes } from './status.ts'
import { studyRoutes, type StudyParts } from './studies.ts'
import { createTokenCheck } from './token.ts'
import { trafficRoutes, type TrafficParts } from './traffic.ts'
import { trialRoutes, type TrialParts } from './trial.ts'
import { worklistRoutes } from './worklist.ts'

/** What is counted here; `createMetrics` of src/observe fits. */
export interface HttpMetrics {
  count(name: 'http_requests_total' | 'worklist_finds_total', labels: Readonly<Record<string, string>>): void
  text(): Promise<string>
  readonly contentType: string
}

export interface HttpOptions {
  readonly bind: string
  /** 0: any free port. */
  readonly port: number
  readonly token: string
  readonly version: { readonly worklane: string; readonly node: string }
  readonly parts: () => Promise<readonly PartHealth[]>
  readonly takesMessages: () => boolean
  readonly metrics: HttpMetrics
  readonly configuration: Reloader
  readonly counters: Counters
  readonly messages: MessageStore
  /** Dead letters, and what people do to kept messages. */
  readonly letters: Pick<Replays, 'acts' | 'letters' | 'letterGroups' | 'refusedMessage'>
  readonly replayer: Replayer
  /** To try changed pipelines with what has come, and with what has not. */
  readonly traffic: TrafficParts['traffic']
  readonly tryMessages: TrialParts['tryMessages']
  readonly worklist: WorklistAnswerer
  readonly orders: OrderParts
  /** What people and other connectors tell. */
  readonly hand: CommandParts & PerformedParts & { readonly store: StudyParts['studies'] }
  readonly destinations: DestinationParts
  /** Which store this engine works on. */
  readonly storeName?: () => string
  readonly nudge: PluginParts['nudge']
  readonly bring: PluginParts['bring']
  readonly orthancChanges: WorklistStore['orthancChanges']
  /** A message's bytes as text; default UTF-8, else ISO 8859-1. */
  readonly decode?: (body: Uint8Array, source: string) => string
  readonly log: Log
  /** How long `stop` waits for requests under way. */
  readonly graceMilliseconds?: number
}

export interface HttpServer {
  start(): Promise<{ readonly port: number }>
  /** Takes no new requests, ends those under way. */
  stop(): Promise<void>
  /** The server without a socket, for tests. */
  readonly app: FastifyInstance
}

/** Queries and nudges are small; messages come by MLLP. */
const bodyLimit = 1024 * 1024
const guarded = ['/api', '/worklist', '/orthanc']

export function createHttpServer(options: HttpOptions): HttpServer {
  const { bind, port, token, version, metrics, log, graceMilliseconds = 3000 } = options
  const isAllowed = createTokenCheck(token)
  const app = fastify({
    bodyLimit,
    // The plugin keeps its connection and asks at intervals shorter than this.
    keepAliveTimeout: 75_000,
    // A client that sends its request slower than this is not ours (slowloris).
    requestTimeout: 15_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    // Addresses that cannot be read (`%ff`) or are too long; fastify's own answer repeats them.
    frameworkErrors: (_error, _request, reply) =>
      void answerProblem(reply, problemOf(new Refusal(404, 'E800'), bodyLimit)),
  })
  app.server.maxConnections = 512
  app.removeContentTypeParser('text/plain')

  const routes: Route[] = [
    ...healthRoutes(options),
    ...statusRoutes(options),
    ...worklistRoutes(options.worklist),
    ...messageRoutes({ messages: options.messages, acts: options.letters, decode: options.decode ?? plainText }),
    ...replayRoutes(options),
    ...trafficRoutes(options),
    ...trialRoutes(options),
    // A status message is of no source: it says itself what it is.
    ...letterRoutes({ ...options, decode: (bytes) => (options.decode ?? plainText)(bytes, '') }),
    ...orderRoutes(options.orders),
    ...commandRoutes(options.hand),
    ...performedRoutes(options.hand),
    ...studyRoutes({ studies: options.hand.store }),
    ...destinationRoutes(options.destinations),
    ...configurationRoutes(options),
    ...orthancChangeRoutes(options),
    ...pluginRoutes({
      worklist: options.worklist,
      engine: version.worklane,
      nudge: options.nudge,
      bring: options.bring,
      found: (result) => metrics.count('worklist_finds_total', { result }),
    }),
  ]
  routes.push({
    method: 'GET',
    path: '/api/openapi.json',
    what: 'This document.',
    answers: { 200: { what: 'OpenAPI 3.1.', schema: { type: 'object' } } },
    handle: () => json(document),
  })
  const document = openApi(routes, version.worklane)
  const methods = new Map<string, string[]>()
  for (const { method, path } of routes) methods.set(path, [...(methods.get(path) ?? []), method])

  // Before the body is read: who has no token learns nothing and costs nothing.
  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    if (!guarded.some((one) => path === one || path.startsWith(`${one}/`))) return
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    if (isAllowed(request.headers.authorization)) {
      // Orthanc's plugin tells by it which engines are of one site.
      const name = options.storeName?.() ?? ''
      if (name !== '') void reply.header('x-worklane-store', name)
      return
    }
    void reply.header('www-authenticate', 'Bearer')
    throw new Refusal(401, 'E801')
  })

  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path,
      async handler(request, reply) {
        const answer = await route.handle({
          query: readQuery(request.query, route.parameters ?? []),
          path: request.params as Readonly<Record<string, string>>,
          body: request.body,
          header: (name) => headerOf(request, name),
        })
        void reply.code(answer.httpStatus).headers({ ...answer.headers })
        return answer.body === undefined ? reply.send() : answer.body
      },
    })
  }

  // Known path, other method: 405. POST, PUT and DELETE of /api/worklist are not built yet and end here.
  for (const [path, allowed] of methods) {
    const others = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter((one) => !allowed.includes(one))
    app.route({
      method: others,
      url: path,
      handler(request, reply) {
        void reply.header('allow', allowed.join(', '))
        throw new Refusal(405, 'E808', { method: request.method, route: path, allowed: allowed.join(', ') })
      },
    })
  }
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'E800')
  })

  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, bodyLimit)
    if (problem.status === 500) {
      const stack = error instanceof Error ? error.stack : undefined
      log.error({ code: problem.code, method: request.method, route: routeOf(request), stack }, 'request failed')
    }
    return answerProblem(reply, problem)
  })

  app.addHook('onResponse', async (request, reply) => {
    const route = routeOf(request)
    metrics.count('http_requests_total', { route, status: String(reply.statusCode) })
    const milliseconds = Math.round(reply.elapsedTime)
    log.debug({ method: request.method, route, httpStatus: reply.statusCode, milliseconds }, 'request answered')
  })

  return {
    app,
    async start() {
      try {
        await app.listen({ host: bind, port })
      } catch (error) {
        throw new EngineError('E811', { port, bind }, { cause: error })
      }
      const address = app.server.address()
      return { port: typeof address === 'object' && address !== null ? address.port : port }
    },
    async stop() {
      // A connection that never sent its request does not count as idle and would hold the end for a minute.
      const timer = setTimeout(() => app.server.closeAllConnections(), graceMilliseconds)
      await app.close().finally(() => clearTimeout(timer))
    },
  }
}

function answerProblem(reply: FastifyReply, problem: { readonly status: number }): FastifyReply {
  return reply
    .code(problem.status)
    .header('content-type', problemType)
    .send(Buffer.from(JSON.stringify(problem)))
}

/** The route's pattern, never the path that was asked for: it may hold what a person typed. */
function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'none' : (request.routeOptions.url ?? 'none')
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function plainText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return Buffer.from(bytes).toString('latin1')
  }
}
