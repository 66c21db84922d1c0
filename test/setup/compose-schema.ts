/**
 * The part of the Compose Specification that docker-compose.yml uses, as a schema
 * of our own: keys that are not in it are refused, which finds misspelt ones. Widen
 * it (after compose-spec.io) when the file needs more.
 */
export interface Service {
  readonly image: string
  readonly build?: { readonly context: string; readonly target: string }
  readonly command?: readonly string[]
  readonly user?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: object
  readonly restart?: string
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly volumes?: Readonly<Record<string, object>>
}

const text = { type: 'string', minLength: 1 }
const texts = { type: 'array', items: text, uniqueItems: true }
const seconds = { type: 'string', pattern: '^\\d+(s|m)$' }
const named = (value: object) => ({
  type: 'object',
  additionalProperties: value,
  propertyNames: { pattern: '^[a-z][a-z0-9-]*$' },
})
const only = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
})

export const composeSchema = only(
  {
    services: named(
      only(
        {
          image: text,
          build: only({ context: { const: '.' }, target: text }, ['context', 'target']),
          command: { type: 'array', items: text },
          user: text,
          init: { type: 'boolean' },
          // Values are texts: YAML makes true of an unquoted true, and Compose refuses it.
          environment: {
            type: 'object',
            additionalProperties: { type: 'string' },
            propertyNames: { pattern: '^[A-Z_]+$' },
          },
          volumes: {
            type: 'array',
            items: { type: 'string', pattern: '^(\\./[\\w./-]+|[a-z][a-z0-9-]*):/[\\w./-]+(:ro)?$' },
          },
          networks: texts,
          // Quoted: YAML 1.1 reads 22:22 as a number in base 60.
          ports: texts,
          depends_on: named(only({ condition: { enum: ['service_started', 'service_healthy'] } }, ['condition'])),
          healthcheck: only(
            {
              test: { type: 'array', minItems: 2, items: text, prefixItems: [{ enum: ['CMD', 'CMD-SHELL'] }] },
              interval: seconds,
              timeout: seconds,
              retries: { type: 'integer', minimum: 1 },
            },
            ['test'],
          ),
          restart: { enum: ['no', 'always', 'on-failure', 'unless-stopped'] },
          stop_grace_period: seconds,
        },
        ['image'],
      ),
    ),
    networks: named(only({ internal: { type: 'boolean' } })),
    volumes: named(only({})),
  },
  ['services'],
)
