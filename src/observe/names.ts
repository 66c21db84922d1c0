/**
 * Every metric that Worklane shows, declared once: name, type, meaning, labels.
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
  worklist_finds_total: counter('Worklist queries answered over HTTP, by what came of it.', ['result']),
  http_requests_total: counter('HTTP requests, by route and status.', ['route', 'status']),

  // timed
  apply_duration_seconds: timer('One batch of the inbox: load, apply, commit.', []),
  delivery_duration_seconds: timer('One status message: from sending to its acknowledgment.', []),
  worklist_find_duration_seconds: timer('One worklist query: from the request to its answer.', []),

  // read when asked
  messages: gauge('Messages in the store, by state. Their sum is what was received and kept.', ['source', 'state']),
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
  part_up: gauge('1: up, 0.5: degraded, 0: down; as /health/ready shows it.', ['part']),
  store_memory_bytes: gauge("Redis's memory, used and its limit (0: none).", ['kind']),
  mllp_connections: gauge('Open MLLP connections.', ['source']),
  build_info: gauge('1, with the versions that run as labels.', ['version', 'node']),
  pipeline_info: gauge('1 for each pipeline that runs, with the start of its plan id.', ['pipeline', 'plan']),
} as const satisfies Readonly<Record<string, Declaration>>

export interface Declaration {
  readonly type: 'counter' | 'gauge' | 'timer'
  readonly help: string
  readonly labels: readonly string[]
}

type NamesOf<T extends Declaration['type']> = {
  [N in keyof typeof metrics]: (typeof metrics)[N]['type'] extends T ? N : never
}[keyof typeof metrics]

export type CounterName = NamesOf<'counter'>
export type GaugeName = NamesOf<'gauge'>
export type TimerName = NamesOf<'timer'>

function counter(help: string, labels: readonly string[]) {
  return { type: 'counter', help, labels } as const
}

function gauge(help: string, labels: readonly string[]) {
  return { type: 'gauge', help, labels } as const
}

function timer(help: string, labels: readonly string[]) {
  return { type: 'timer', help, labels } as const
}
