import type { Parameter, Query } from './query.ts'

/** What a handler gets; the query has been checked against the route's parameters. */
export interface Asked {
  readonly query: Query
  readonly path: Readonly<Record<string, string>>
  readonly body: unknown
  readonly header: (name: string) => string | undefined
}

export interface Answer {
  readonly httpStatus: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text and bytes go out as they are, all else as JSON. */
  readonly body?: unknown
}

/** One route, declared once: the server and the OpenAPI document are made from it. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** In fastify's notation: `/api/messages/:id`. */
  readonly path: string
  readonly what: string
  /** Answered without a token. */
  readonly open?: boolean
  readonly parameters?: readonly Parameter[]
  /** JSON Schema of the body, for the document; the handler checks it. */
  readonly body?: object
  /** By HTTP status: what it means, its media type and, for JSON, its schema. */
  readonly answers: Readonly<Record<number, { what: string; type?: string; schema?: object }>>
  handle(asked: Asked): Promise<Answer> | Answer
}

export const json = (body: unknown): Answer => ({ httpStatus: 200, body })
