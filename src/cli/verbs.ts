import * as acceptLoss from './accept-loss.ts'
import * as backup from './backup.ts'
import { byHand, usages } from './by-hand.ts'
import * as check from './check.ts'
import * as configuration from './configuration.ts'
import * as dead from './dead.ts'
import * as destinations from './destinations.ts'
import * as docs from './docs.ts'
import * as graph from './graph.ts'
import * as imports from './import.ts'
import * as items from './items.ts'
import * as map from './map.ts'
import * as messages from './messages.ts'
import { newPipeline, usage as newUsage } from './new.ts'
import type { Verb } from './output.ts'
import * as pause from './pause.ts'
import { probesOf } from './probes.ts'
import * as reload from './reload.ts'
import * as replay from './replay.ts'
import * as restore from './restore.ts'
import * as resume from './resume.ts'
import * as retries from './retries.ts'
import * as ris from './ris.ts'
import * as rollback from './rollback.ts'
import * as send from './send.ts'
import * as start from './start.ts'
import * as status from './status.ts'
import * as story from './story.ts'
import * as studies from './studies.ts'
import * as test from './test.ts'

export interface VerbEntry {
  /** What it does, in half a sentence. */
  readonly does: string
  /** What `--help` shows; its first line is how the verb is called. */
  readonly usage: string
  readonly run: Verb
}

/** Each verb of the command line, in the order of a first day. */
export const verbs: Readonly<Record<string, VerbEntry>> = {
  check: {
    does: 'says everything that is wrong with the configuration',
    usage: check.usage,
    run: (args, io) => check.check(args, io, { probesOf }),
  },
  map: { does: 'shows what messages would become; sends nothing', usage: map.usage, run: map.map },
  test: { does: 'runs the tests that lie beside the pipelines', usage: test.usage, run: test.test },
  new: { does: 'makes a pipeline from sample messages', usage: newUsage, run: newPipeline },
  docs: {
    does: 'writes the conformance statement and the mapping tables',
    usage: docs.usage,
    run: docs.docs,
  },
  graph: { does: 'draws the site', usage: graph.usage, run: graph.graph },
  start: { does: 'runs the engine', usage: start.usage, run: start.start },
  reload: { does: 'puts changed files in force without a restart', usage: reload.usage, run: reload.reload },
  rollback: { does: 'puts the version before in force again', usage: rollback.usage, run: rollback.rollback },
  configuration: {
    does: 'shows which version of the files runs, and which ran before',
    usage: configuration.usage,
    run: configuration.configuration,
  },
  send: { does: 'sends HL7 files over MLLP and shows the acknowledgments', usage: send.usage, run: send.send },
  import: {
    does: 'sends the backlog of the RIS, file by file',
    usage: imports.usage,
    run: (args, io) => imports.importFiles(args, io),
  },
  ris: { does: 'plays a RIS: receives status messages and shows them', usage: ris.usage, run: ris.ris },
  status: {
    does: 'shows how a running engine is, and what became of what it received',
    usage: status.usage,
    run: status.status,
  },
  items: { does: 'lists the worklist of a running engine', usage: items.usage, run: items.items },
  messages: {
    does: 'lists the messages that a running engine has received',
    usage: messages.usage,
    run: messages.messages,
  },
  dead: { does: 'lists what somebody has to look at, by reason', usage: dead.usage, run: dead.dead },
  replay: {
    does: 'puts messages through the pipeline again, as they are or corrected',
    usage: replay.usage,
    run: replay.replay,
  },
  story: {
    does: 'tells everything that happened to an order',
    usage: story.usage,
    run: story.story,
  },
  studies: { does: 'lists the studies that were seen, and whose they are', usage: studies.usage, run: studies.studies },
  complete: { does: 'completes an order by hand', usage: usages.complete, run: byHand('complete') },
  cancel: { does: 'calls an order off by hand', usage: usages.cancel, run: byHand('cancel') },
  reopen: { does: 'opens an order again that has ended', usage: usages.reopen, run: byHand('reopen') },
  link: { does: 'credits a study to an order', usage: usages.link, run: byHand('link') },
  unlink: { does: 'takes a study from an order', usage: usages.unlink, run: byHand('unlink') },
  destinations: {
    does: 'lists the receivers of status messages, and what waits for each',
    usage: destinations.usage,
    run: destinations.destinations,
  },
  retries: {
    does: 'shows how each endpoint is tried again while it is away',
    usage: retries.usage,
    run: retries.retries,
  },
  recount: {
    does: 'counts all messages again and says which counters are wrong',
    usage: status.recountUsage,
    run: status.recount,
  },
  pause: { does: 'holds what is owed to a destination', usage: pause.usage, run: pause.pause },
  backup: { does: 'writes all that the store holds into a file', usage: backup.usage, run: backup.backup },
  restore: { does: 'puts a backup into an empty store', usage: restore.usage, run: restore.restore },
  'accept-loss': {
    does: 'goes on with a store that has lost what was acknowledged',
    usage: acceptLoss.usage,
    run: acceptLoss.acceptLoss,
  },
  resume: { does: 'sends what a paused destination is owed', usage: resume.usage, run: resume.resume },
}

export const exitCodes = 'Exit codes: 0 done, 1 a problem was found, 2 the line was not understood.'
