import { classOf, knownFailures, type KnownFailure } from '../core/failures.ts'
import { retryDefaults, scheduleText, type RetryPolicy } from '../core/retry.ts'

const endpoints = {
  destinations: 'A receiver of status messages (`destinations[].retry`)',
  orthancs: 'An Orthanc: its changes, and its worklist folder (`orthancs[].retry`)',
} as const satisfies Record<keyof typeof retryDefaults, string>

const kinds: Readonly<Record<KnownFailure['endpoint'], string>> = {
  destination: 'receiver',
  orthanc: 'Orthanc',
  target: 'worklist folder',
}

/** `docs/reference/retries.md`: the policies that a site gets, and what each kind of failure means. */
export function retryReference(): string {
  const keys = ['firstSeconds', 'factor', 'maxSeconds', 'jitter', 'openAfter'] as const satisfies (keyof RetryPolicy)[]
  const head = ['Endpoint', ...keys.map((key) => `\`${key}\``), 'Tried again after']
  const rows = Object.entries(retryDefaults).map(([name, policy]) => [
    endpoints[name as keyof typeof retryDefaults],
    ...keys.map((key) => String(policy[key])),
    scheduleText(policy),
  ])
  const failures = knownFailures.map((one) => [
    kinds[one.endpoint],
    one.happened,
    `[${one.code}](errors.md#${one.code.toLowerCase()})`,
    classOf(one),
    one.done,
  ])
  return `${[
    '<!-- Generated from src/core/retry.ts and src/core/failures.ts by `node src/cli/reference.ts`: change it there. -->',
    '# Retries',
    'How each endpoint is tried again while it is away is one object of settings, `retry`; [Settings](settings.md) has ' +
      'their limits, `worklane retries` shows the waits of your site, and `worklane destinations` what is tried again now.',
    table(head, rows),
    'The wait after the n-th failure in a row is `firstSeconds` x `factor`^(n-1), at most `maxSeconds`, less up to ' +
      '`jitter` of it by chance. There is no giving up: what is merely unreachable is tried until it is taken, and its age is shown.',
    'After `openAfter` failures in a row the circuit is open: one thing at a time is tried at these waits (half-open), and ' +
      'the first that is answered closes it. It is shown in health, in the metric `engine_endpoint_circuit` (0 closed, ' +
      '1 half-open, 2 open) and in the log.',
    '## What a failure means',
    'transient: tried again. ambiguous: it may have happened; sent again only as what can be known again. permanent: a ' +
      'person changes something.',
    table(['Endpoint', 'What happened', 'Code', 'Class', 'What is done'], failures),
  ].join('\n\n')}\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
