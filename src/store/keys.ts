import type { Lookup } from '../core/world.ts'

/**
 * Where everything is in Redis. All keys start with `wl:`; the scripts in
 * `scripts.ts` write the fixed ones out.
 *
 * wl:format, wl:seq, wl:applied, wl:generation    what the store is and how far it has come
 * wl:identity, wl:replaced                        which store this is, a random name; the names of stores whose place it has taken
 * wl:loss, wl:losses                              what a person has to accept before anything goes on; what was accepted, by whom and why
 * wl:restoring, wl:migrating                      a restore, a change of the format that is not finished
 * wl:indexed                                      by which version of the indexes orders and studies are found
 * wl:inbox                                        stream, id `<seq>-0`, field e
 * wl:begun                                        by process: after which entry it has begun to apply
 * wl:m:<id>                                       a message: b body, a acknowledgment, i information, s state, k its kind, o source, r to whom its application acknowledgment is or was owed
 * wl:messages, wl:messages:<state>                ids by sequence number
 * wl:acts:<id>                                    what people did to a message by hand, and what came of it
 * wl:find                                         search keys, sorted as text: kind NUL value NUL id
 * wl:again                                        hash `<source>\n<MSH-10>`: `id fingerprint [acknowledgment]`, for the duplicate check; with `\n<fingerprint>` those before another body used the MSH-10
 * wl:agains                                       list of `id milliseconds <source>\n<MSH-10>`, oldest first: what the duplicate check forgets next
 * wl:replies:<source>\n<sender>                   ids of the messages whose application acknowledgment it is owed
 * wl:counts, wl:removed                           hashes `<state>\n<source>`: ever, and of those what retention has removed
 * wl:waiting:<source>                             ids of waiting messages by the moment (seconds of Redis's time) since when
 * wl:counted                                      since when removed and queued ones are counted
 * wl:o:<id>, wl:h:<id>                            an order (o itself, v version, i ids of its items), its history
 * wl:told:<id>, wl:leftout                        what was ever to be sent for an order (the rest of its wl:send: key); lines that are no longer kept
 * wl:x:<by>, wl:y:<by>                            ids of the orders, keys of the studies with this number; wl:x:find:<by>, wl:y:find:<by> as people look for them
 * wl:authorities, wl:issuers                      of all order numbers and Patient IDs that ever were (an issuer with its `^^^`)
 * wl:orders                                       order ids by the moment until which they matter
 * wl:items, wl:versions, wl:served                items, their versions, those served
 * wl:dirty:<target>                               item ids by version
 * wl:p:<key>, wl:s:<key>, wl:t:<key>              patients, studies, tombstones
 * wl:merges                                       patients who were merged, or into whom somebody was, by when that was
 * wl:studies, wl:unstable:<orthanc>               by last image
 * wl:out:<endpoint>, wl:dead:<endpoint>           owed and refused messages by sequence number; wl:send:<endpoint>\n<id> each of them
 * wl:retries                                      by endpoint: how it is tried again while it takes nothing
 * wl:paused, wl:pauses:<endpoint>                 held by a person: who, why, since when; the newest changes
 * wl:owing, wl:sent                               owed messages per order; queued, delivered, refused and discarded per endpoint
 * wl:deadlines, wl:deadlines:quiet                subjects by due moment
 * wl:notices, wl:notice                           counted by code; the last thousand
 * wl:rows                                         the newest changes that Orthancs told
 * wl:feed:<orthanc>, wl:passed:<orthanc>          cursor; what could not be read there, and is asked for again
 * wl:spools:<orthanc>                             the highest number taken of each spool of its plugin
 * wl:site                                         what the engine knew of its site at its last start
 * wl:configurations                               which versions of the files came into force, when and by whom, newest first
 * wl:configuration:versions, wl:configuration:texts   names and hashes of the files of each; their texts by hash
 * wl:configuration                                number: how many there ever were
 * wl:retained                                     the moment that retention has reached
 * wl:plan:<id>, wl:plans, wl:planrefs             plans, when last in use, by how many messages
 * wl:lease:<role>, wl:fence:<role>                who works, and the newest token
 * wl:holders                                     the connection of who works, by role
 */
export const keys = {
  message: (id: string) => `wl:m:${id}`,
  acts: (id: string) => `wl:acts:${id}`,
  order: (id: string) => `wl:o:${id}`,
  history: (id: string) => `wl:h:${id}`,
  patient: (key: string) => `wl:p:${key}`,
  study: (key: string) => `wl:s:${key}`,
  tombstone: (key: string) => `wl:t:${key}`,
  passed: (orthanc: string) => `wl:passed:${orthanc}`,
  unstable: (orthanc: string) => `wl:unstable:${orthanc}`,
  dirty: (target: string) => `wl:dirty:${target}`,
  outbox: (endpoint: string) => `wl:out:${endpoint}`,
  deadOutbox: (endpoint: string) => `wl:dead:${endpoint}`,
  told: (id: string) => `wl:told:${id}`,
  pauses: (endpoint: string) => `wl:pauses:${endpoint}`,
  send: (endpoint: string, id: string) => `wl:send:${endpoint}\n${id}`,
  replies: (source: string, sender: string) => `wl:replies:${source}\n${sender}`,
  feed: (orthanc: string) => `wl:feed:${orthanc}`,
  plan: (id: string) => `wl:plan:${id}`,
  deadlines: (subject: string) => (subject.startsWith('quiet:') ? 'wl:deadlines:quiet' : 'wl:deadlines'),
}

/** Lookups by number, as sets of order ids (`wl:x:`) and study keys (`wl:y:`). JSON keeps `a` + `bc` apart from `ab` + `c`. */
export function orderIndex(lookup: Lookup): string {
  return `wl:x:${JSON.stringify(numberOf(lookup))}`
}

/** Ids of the orders that people find by this; `patientId`: one that was merged. */
export function orderFinder(by: 'patientId' | 'stepStatus', value: string): string {
  return `wl:x:find:${JSON.stringify([by, value])}`
}

export function studyIndex(lookup: Lookup): string {
  return `wl:y:${JSON.stringify(numberOf(lookup))}`
}

function numberOf(lookup: Lookup): readonly string[] {
  switch (lookup.by) {
    case 'placerOrderNumber':
    case 'fillerOrderNumber':
    case 'placerAppointmentId':
    case 'fillerAppointmentId':
      return [lookup.by, lookup.authority, lookup.value]
    case 'accessionNumber':
    case 'studyInstanceUid':
    case 'performed':
      return [lookup.by, lookup.value]
    case 'requestedProcedure':
      return [lookup.by, lookup.patientId, lookup.value]
    case 'order':
      return [lookup.by, lookup.id]
    case 'patient':
    case 'patientRecord':
    case 'study':
    case 'tombstone':
      return [lookup.by, lookup.key]
  }
}

/** Keys of the studies that people find by this. */
export function studyFinder(by: 'patientId' | 'credit', value: string): string {
  return `wl:y:find:${JSON.stringify([by, value])}`
}
