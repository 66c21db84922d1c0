/**
 * Every metric that Worklane shows, declared once: name, type, meaning, labels.
 * What one process counts and times by itself is shown with `engine_` before its name:
 * it begins at 0 with the process, and is to be summed over all engines. Everything else
 * is of the store (or what runs), and the same whichever engine is asked.
 * Labels are names of endpoints, codes and kinds; never patient data (I9), and
 * nothing of which there can be many.
 */
export const metrics = {
  // counted as it happens
  messages_received_total: counter('HL7 messages received.', ['source']),
  messages_repeated_total: counter('Messages that had been stored before: the stored AA was sent again.', ['source']),
  messages_not_stored_total: counter('Messages that could not be stored and were not acknowledged.', ['source']),
  acknowledgments_total: counter('Acknowledgments sent, by MSA-1.', ['source', 'code']),
  entries_applied_total: counter('Inbox entries applied.', ['kind']),
  notices_total: counter('Things a person should look at: contradicting images, numbers of two orders.', ['code']),
  deliveries_total: counter('Status messages sent, by what came of it.', ['destination', 'result']),
  items_published_total: counter('Worklist items brought to a pushed target.', ['target', 'result']),
  orthanc_events_total: counter('Changes that Orthanc told, by their type.', ['orthanc', 'event']),
  clock_jumps_total: counter('Jumps of the wall clock, forward or back.', []),
  worklist_finds_total: counter('Worklist queries answered over HTTP, by what came of it.', ['result']),
  http_requests_total: counter('HTTP requests, by route and status.', ['route', 'status']),

  // timed
  apply_duration_seconds: timer('One batch of the inbox: load, apply, commit.', []),
  delivery_duration_seconds: timer('One status message: from sending to its acknowledgment.', []),
  worklist_find_duration_seconds: timer('One worklist query: from the request to its answer.', []),

  // counted by the store, with what it counts
  messages_total: stored('Messages ever received and kept; always the sum of `messages`.', ['source']),
  outbox_queued_total: stored(
    'Status messages ever decided; always delivered, discarded, waiting and dead ones together.',
    ['destination'],
  ),
  outbox_delivered_total: stored('Status messages that the destination took.', ['destination']),
  outbox_discarded_total: stored('Refused status messages that are kept no more.', ['destination']),
  notices_raised_total: stored('Things a person should look at, ever: contradicting images, numbers of two orders.', [
    'code',
  ]),

  // read when asked
  messages: gauge('Messages ever received and kept, by the state that they are in, or were last in.', [
    'source',
    'state',
  ]),
  messages_oldest_seconds: gauge('Age of the oldest message not yet applied; 0 when none waits.', ['source']),
  inbox_stalled: gauge('1 while something waits in the inbox and nothing is applied.', []),
  inbox_oldest_seconds: gauge('Age of the oldest entry not yet applied; 0 when none waits.', []),
  outbox_waiting: gauge('Status messages owed.', ['destination']),
  outbox_oldest_seconds: gauge('Age of the oldest status message owed; 0 when none is.', ['destination']),
  outbox_dead: gauge('Status messages that the destination refused.', ['destination']),
  outbox_paused: gauge('1 while a person holds what is owed to the destination.', ['destination']),
  worklist_items: gauge('Worklist items in the index, by step status.', ['step_status']),
  worklist_items_hidden: gauge(
    'Open worklist items that nobody is served: held, or lacking start, modality, station or procedure.',
    ['reason'],
  ),
  target_dirty_items: gauge('Items that a pushed target does not have in their newest version.', ['target']),
  orthanc_feed_lag_seconds: gauge('Time since the change feed was last read to its end.', ['orthanc']),
  orthanc_feed_position: gauge('Sequence number of the last change taken.', ['orthanc']),
  plugin_snapshot_seconds: gauge('Time since the plugin last fetched its snapshot.', ['orthanc']),
  part_up: local('1: up, 0.5: degraded, 0: down; as /health/ready shows it.', ['part']),
  store_memory_bytes: gauge("Redis's memory, used and its limit (0: none).", ['kind']),
  endpoint_circuit: local(
    '0: closed, 1: half-open, 2: open, for destinations, Orthancs (their changes) and targets (their worklist folders).',
    ['kind', 'endpoint'],
  ),
  mllp_connections: local('Open MLLP connections.', ['source']),
  build_info: gauge('1, with the versions that run as labels.', ['version', 'node']),
  configuration_info: local('1, with the version of the configuration that this engine runs.', ['version']),
  pipeline_info: gauge('1 for each pipeline that runs, with the start of its plan id.', ['pipeline', 'plan']),
} as const satisfies Readonly<Record<string, Declaration>>

export interface Declaration {
  readonly type: 'counter' | 'gauge' | 'timer'
  /** Of this process, or of the store. */
  readonly of: 'process' | 'store'
  readonly help: string
  readonly labels: readonly string[]
}

type Declared = typeof metrics
type NamesOf<T extends Declaration['type'], O extends Declaration['of']> = {
  [N in keyof Declared]: Declared[N]['type'] extends T ? (Declared[N]['of'] extends O ? N : never) : never
}[keyof Declared]

/** Counted here as it happens. */
export type CounterName = NamesOf<'counter', 'process'>
export type GaugeName = NamesOf<'gauge', Declaration['of']>
export type TimerName = NamesOf<'timer', 'process'>
/** Read when somebody asks. */
export type CollectedName = GaugeName | NamesOf<'counter', 'store'>

export function shownAs(name: string, { of }: Declaration): string {
  return of === 'process' ? `engine_${name}` : name
}

function counter(help: string, labels: readonly string[]) {
  return { type: 'counter', of: 'process', help, labels } as const
}

function stored(help: string, labels: readonly string[]) {
  return { type: 'counter', of: 'store', help, labels } as const
}

function gauge(help: string, labels: readonly string[]) {
  return { type: 'gauge', of: 'store', help, labels } as const
}

function local(help: string, labels: readonly string[]) {
  return { type: 'gauge', of: 'process', help, labels } as const
}

function timer(help: string, labels: readonly string[]) {
  return { type: 'timer', of: 'process', help, labels } as const
}
