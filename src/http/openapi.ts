import { problemType } from './problem.ts'
import type { Route } from './route.ts'

/** The OpenAPI 3.1 document of these routes: made from the same declarations as the server, so it cannot disagree. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Worklane', version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'WORKLANE_TOKEN' } },
      schemas: {
        Problem: {
          description: 'RFC 9457',
          type: 'object',
          required: ['type', 'title', 'status', 'code', 'cure'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            code: { type: 'string' },
            cure: { type: 'string' },
          },
        },
      },
    },
    security: [{ token: [] }],
  }
}

function operation({ path, what, open, parameters = [], body, answers }: Route): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map((match) => match[1])
  const responses: Record<string, object> = {}
  for (const [httpStatus, { what: description, type, schema }] of Object.entries(answers)) {
    const content =
      type === undefined && schema === undefined
        ? undefined
        : { [type ?? 'application/json']: schema === undefined ? {} : { schema } }
    responses[httpStatus] = { description, ...(content === undefined ? {} : { content }) }
  }
  responses['default'] = {
    description: 'What is wrong, and what to do about it.',
    content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
  }
  return {
    summary: what,
    ...(open === true ? { security: [] } : {}),
    parameters: [
      ...inPath.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...parameters.map(({ name, what: description, values, range, pattern, fallback }) => ({
        name,
        in: 'query',
        description,
        schema:
          range === undefined
            ? { type: 'string', ...(values === undefined ? { pattern: pattern?.source } : { enum: values }) }
            : { type: 'integer', minimum: range[0], maximum: range[1], default: fallback },
      })),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses,
  }
}
