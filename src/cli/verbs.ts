import * as acceptLoss from './accept-loss.ts'
import * as backup from './backup.ts'
import { byHand, usages } from './by-hand.ts'
import * as check from './check.ts'
import { completion, usage as completionUsage } from './completion.ts'
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
  /** One line that could be typed as it is. */
  readonly example: string
  readonly run: Verb
}

/** Each verb of the command line, in the order of a first day. */
export const verbs: Readonly<Record<string, VerbEntry>> = {
  check: {
    does: 'says everything that is wrong with the configuration',
    usage: check.usage,
    example: 'worklane check --live',
    run: (args, io) => check.check(args, io, { probesOf }),
  },
  map: {
    does: 'shows what messages would become; sends nothing',
    usage: map.usage,
    example: 'worklane map orders pipelines/orders/messages/*.hl7 --all',
    run: map.map,
  },
  test: {
    does: 'runs the tests that lie beside the pipelines',
    usage: test.usage,
    example: 'worklane test orders',
    run: test.test,
  },
  new: {
    does: 'makes a pipeline from sample messages',
    usage: newUsage,
    example: 'worklane new pipeline east --from samples',
    run: newPipeline,
  },
  docs: {
    does: 'writes the conformance statement and the mapping tables',
    usage: docs.usage,
    example: 'worklane docs --out statement',
    run: docs.docs,
  },
  graph: { does: 'draws the site', usage: graph.usage, example: 'worklane graph > site.mmd', run: graph.graph },
  start: {
    does: 'runs the engine',
    usage: start.usage,
    example: 'WORKLANE_RIS_HOST=10.1.2.3 WORKLANE_RIS_PORT=2576 worklane start',
    run: start.start,
  },
  reload: {
    does: 'puts changed files in force without a restart',
    usage: reload.usage,
    example: 'worklane reload --plan',
    run: reload.reload,
  },
  rollback: {
    does: 'puts the version before in force again',
    usage: rollback.usage,
    example: 'worklane rollback --yes --reason "the new table was wrong"',
    run: rollback.rollback,
  },
  configuration: {
    does: 'shows which version of the files runs, and which ran before',
    usage: configuration.usage,
    example: 'worklane configuration',
    run: configuration.configuration,
  },
  send: {
    does: 'sends HL7 files over MLLP and shows the acknowledgments',
    usage: send.usage,
    example: 'worklane send order.hl7 --to 127.0.0.1:2575',
    run: send.send,
  },
  import: {
    does: 'sends the backlog of the RIS, file by file',
    usage: imports.usage,
    example: 'worklane import backlog --refused refused.hl7',
    run: (args, io) => imports.importFiles(args, io),
  },
  ris: {
    does: 'plays a RIS: receives status messages and shows them',
    usage: ris.usage,
    example: 'worklane ris --port 2576 --answer AE',
    run: ris.ris,
  },
  status: {
    does: 'shows how a running engine is, and what became of what it received',
    usage: status.usage,
    example: 'worklane status',
    run: status.status,
  },
  items: {
    does: 'lists the worklist of a running engine',
    usage: items.usage,
    example: 'worklane items --date 20261016 --modality CT',
    run: items.items,
  },
  messages: {
    does: 'lists the messages that a running engine has received',
    usage: messages.usage,
    example: 'worklane messages --state invalid --limit 20',
    run: messages.messages,
  },
  dead: {
    does: 'lists what somebody has to look at, by reason',
    usage: dead.usage,
    example: 'worklane dead --kind refused --since 2026-10-16',
    run: dead.dead,
  },
  replay: {
    does: 'puts messages through the pipeline again, as they are or corrected',
    usage: replay.usage,
    example: 'worklane replay M42 --set OBR-24=CT --reason "the modality was missing"',
    run: replay.replay,
  },
  story: {
    does: 'tells everything that happened to an order',
    usage: story.usage,
    example: 'worklane story ACC-000042',
    run: story.story,
  },
  studies: {
    does: 'lists the studies that were seen, and whose they are',
    usage: studies.usage,
    example: 'worklane studies --unmatched',
    run: studies.studies,
  },
  complete: {
    does: 'completes an order by hand',
    usage: usages.complete,
    example: 'worklane complete ACC-000042 --reason "images are on a CD"',
    run: byHand('complete'),
  },
  cancel: {
    does: 'calls an order off by hand',
    usage: usages.cancel,
    example: 'worklane cancel ACC-000042 --reason "the patient went home"',
    run: byHand('cancel'),
  },
  reopen: {
    does: 'opens an order again that has ended',
    usage: usages.reopen,
    example: 'worklane reopen ACC-000042 --reason "completed by mistake"',
    run: byHand('reopen'),
  },
  link: {
    does: 'credits a study to an order',
    usage: usages.link,
    example: 'worklane link 1.2.826.0.1.3680043.10.1234.1 ACC-000042 --reason "typed at the scanner"',
    run: byHand('link'),
  },
  unlink: {
    does: 'takes a study from an order',
    usage: usages.unlink,
    example: 'worklane unlink 1.2.826.0.1.3680043.10.1234.1 ACC-000042 --reason "another patient"',
    run: byHand('unlink'),
  },
  destinations: {
    does: 'lists the receivers of status messages, and what waits for each',
    usage: destinations.usage,
    example: 'worklane destinations',
    run: destinations.destinations,
  },
  retries: {
    does: 'shows how each endpoint is tried again while it is away',
    usage: retries.usage,
    example: 'worklane retries ris',
    run: retries.retries,
  },
  recount: {
    does: 'counts all messages again and says which counters are wrong',
    usage: status.recountUsage,
    example: 'worklane recount --repair',
    run: status.recount,
  },
  pause: {
    does: 'holds what is owed to a destination',
    usage: pause.usage,
    example: 'worklane pause ris --reason "the RIS is being updated"',
    run: pause.pause,
  },
  backup: {
    does: 'writes all that the store holds into a file',
    usage: backup.usage,
    example: 'worklane backup /var/backups',
    run: backup.backup,
  },
  restore: {
    does: 'puts a backup into an empty store',
    usage: restore.usage,
    example: 'worklane restore /var/backups/worklane-20261016T081500Z.backup',
    run: restore.restore,
  },
  'accept-loss': {
    does: 'goes on with a store that has lost what was acknowledged',
    usage: acceptLoss.usage,
    example: 'worklane accept-loss --reason "the disk was replaced"',
    run: acceptLoss.acceptLoss,
  },
  completion: {
    does: 'lets the shell complete verbs, options and names',
    usage: completionUsage,
    example: 'source <(worklane completion bash)',
    run: (args, io) => completion(args, io, verbs),
  },
  resume: {
    does: 'sends what a paused destination is owed',
    usage: resume.usage,
    example: 'worklane resume ris',
    run: resume.resume,
  },
}

/** What holds of every verb. */
export const exitCodes = 'Exit codes: 0 done, 1 a problem was found, 2 the line was not understood.'
