/** What the flow counts and times. Labels hold names of endpoints, codes and kinds, never patient data (I9). */
export interface FlowMetrics {
  count(name: FlowCounter, labels: Readonly<Record<string, string>>, by?: number): void
  observe(name: FlowTimer, seconds: number): void
}

export type FlowCounter =
  | 'messages_received_total'
  | 'messages_repeated_total'
  | 'messages_not_stored_total'
  | 'acknowledgments_total'
  | 'entries_applied_total'
  | 'deliveries_total'
  | 'items_published_total'
  | 'orthanc_events_total'
  | 'notices_total'
  | 'clock_jumps_total'

export type FlowTimer = 'apply_duration_seconds' | 'delivery_duration_seconds' | 'worklist_find_duration_seconds'
