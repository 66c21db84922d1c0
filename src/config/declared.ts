import { z } from 'zod'
import { retryDefaults, type RetryPolicy } from '../core/retry.ts'
import { incompletes, orthancOrigins, unknownOrderControls } from '../core/settings.ts'
import { charsets } from './charsets.ts'
import * as kind from './kinds.ts'

/** One policy for every kind of endpoint; the defaults differ. */
const retry = (policy: RetryPolicy, description: string) =>
  z
    .strictObject({
      firstSeconds: kind.decimal(0.1, 3600, policy.firstSeconds, {
        description: 'Wait after the first failure.',
        unit: 'seconds',
      }),
      factor: kind.decimal(1, 10, policy.factor, { description: 'Each wait is so many times the one before.' }),
      maxSeconds: kind.decimal(0.1, 86_400, policy.maxSeconds, {
        description: 'No wait is longer. It is tried until it is taken, whatever the age; there is no giving up.',
        unit: 'seconds',
      }),
      jitter: kind.decimal(0, 0.9, policy.jitter, {
        description:
          'Up to this part of each wait is left out by chance, so that those who failed together do not come back together; 0: none.',
      }),
      openAfter: kind.whole(1, 1000, policy.openAfter, {
        description: 'So many failures in a row open its circuit: then one thing at a time shows whether it is back.',
        unit: 'failures',
      }),
    })
    .prefault({})
    .meta({ description, expected: 'a block of settings' })

/**
 * Every setting of a site, declared once: its name, default, limits and what it is
 * for. Checks with positions, `config/worklane.schema.json` and
 * `docs/reference/settings.md` are made of this.
 */
const source = z
  .strictObject({
    name: kind.endpointName({
      description: 'Pipelines take messages from it by this name.',
      example: 'ris-orders',
    }),
    port: kind.listeningPort({
      description: 'Where the RIS connects to (MLLP).',
      example: '2575',
      environment: 'WORKLANE_MLLP_PORT',
    }),
    bind: kind.host('', {
      description: 'Address to listen on, where it differs from the `bind` of the site.',
      example: '10.1.2.3',
    }),
    ack: kind.choice(['checked', 'stored', 'applied'], 'checked', {
      description:
        'When and with what a message is acknowledged. checked: its pipeline has judged it and it is stored. stored: AA when it is stored, whatever the judgement is: what is wrong is kept as invalid, and its sender not told. applied: when its effect is visible; AE if it became a dead letter.',
    }),
    acknowledgmentMode: kind.choice(['asked', 'original'], 'asked', {
      description:
        'Which acknowledgments a message gets. asked: those that MSH-15 and MSH-16 ask for (enhanced mode), and where both are empty one AA, AE or AR. original: always that one, for a sender that fills these fields and expects nothing else.',
    }),
    whenStoreUnavailable: kind.choice(['noAck', 'reject'], 'noAck', {
      description:
        'While messages cannot be stored. noAck: connections are closed without an answer, so that the sender keeps its messages. reject: AR 207, only for a sender that is known to send again after AR.',
    }),
    defaultCharset: kind.choice(charsets, 'UNICODE UTF-8', {
      description: 'Character set of messages that do not name theirs in MSH-18, as HL7 table 0211 names it.',
      example: '8859/1',
    }),
    charset: kind.choice(['trust', 'detect'], 'detect', {
      description:
        'Whether MSH-18 is believed. detect: bytes that prove it wrong are read as what they are (UTF-8 under another name, Windows-1252 under 8859/1), with a warning. trust: the message is refused, or reads as MSH-18 says.',
    }),
    authority: kind.text('', {
      description:
        'Assigning authority of the order numbers. Two sources that number the same orders share one; empty: the name of the source.',
      example: 'RIS',
    }),
    unknownOrderControl: kind.choice(unknownOrderControls, 'pipeline', {
      description:
        'An order control code (ORC-1) that the pipeline does not name. ignore: AA, nothing changes. reject: AE, so that the sender notices. pipeline: as its `orderControl` says under otherwise.',
    }),
    timeZone: kind.timeZone({
      description:
        'Zone of its times without an offset, of what it is answered, and of the times in status messages about its orders; empty: that of the site.',
      example: 'Europe/Lisbon',
    }),
    defaults: z
      .strictObject({
        stationAeTitle: kind.aeTitle('', { description: 'As `stationAeTitle` of the site.', example: 'SCT01' }),
        modality: kind.modalityOrEmpty({ description: 'As `modality` of the site.', example: 'CT' }),
        issuerOfPatientId: kind.text('', { description: 'As `issuerOfPatientId` of the site.', example: 'SOUTH' }),
        incomplete: kind.choiceOrEmpty(incompletes, { description: 'As `incomplete` of the site.', example: 'hold' }),
      })
      .prefault({})
      .meta({
        description: 'Where its messages have other defaults than the site. Empty: as `defaults` of the site says.',
        expected: 'a block of settings',
      }),
    destination: kind.reference('', {
      description:
        'Who is told what happens to its orders: the name of a destination; none: nobody. Empty: the only destination there is; where there are several, it must be named.',
      example: 'ris',
    }),
    application: kind.text('WORKLANE', {
      description: 'MSH-3 of acknowledgments where a message does not name its receiver.',
    }),
    facility: kind.text('', {
      description: 'MSH-4 of acknowledgments where a message does not name its receiver.',
      example: 'RADIOLOGY',
    }),
    maxFrameBytes: kind.whole(1024, 1_073_741_824, 16_777_216, {
      description:
        'A larger message is refused with AR and its first 64 KiB are kept as an invalid message; the connection is kept.',
      unit: 'bytes',
    }),
    maxConnections: kind.whole(1, 10_000, 100, { description: 'Connections at the same time; more are closed.' }),
    idleSeconds: kind.whole(0, 604_800, 3600, {
      description: 'A connection on which nothing happens for so long is closed; 0: never.',
      unit: 'seconds',
    }),
  })
  .meta({
    description: 'A listener: where a RIS sends orders.',
    expected: 'a block with the name and port of a source',
  })

const orthanc = z
  .strictObject({
    name: kind.endpointName({ description: 'Pipelines name it.', example: 'orthanc' }),
    url: kind.url(['http:', 'https:'], 'http://127.0.0.1:8042', {
      description: 'REST API of Orthanc.',
      environment: 'WORKLANE_ORTHANC_URL',
    }),
    user: kind.text('', {
      description: 'User of the REST API; empty: none.',
      example: 'worklane',
      environment: 'WORKLANE_ORTHANC_USER',
    }),
    password: kind.text('', {
      description: 'Password of that user.',
      example: '${WORKLANE_ORTHANC_PASSWORD}',
      environment: 'WORKLANE_ORTHANC_PASSWORD',
      isSecret: true,
    }),
    target: kind.choice(['plugin', 'folder', 'rest', 'none'], 'plugin', {
      description:
        'How Orthanc gets the worklist. plugin: it asks this engine. folder: files for its own worklist plugin. rest: its newer worklist plugin, by HTTP. none: it gets none; only its changes are read.',
      environment: 'WORKLANE_ORTHANC_TARGET',
    }),
    worklistDir: kind.text('', {
      description: 'Folder of the worklist files, for the target `folder`; relative to where the engine is started.',
      example: '/var/lib/orthanc/worklists',
      environment: 'WORKLANE_WORKLIST_DIR',
    }),
    reconcileSeconds: kind.whole(5, 3600, 30, {
      description:
        'How often the worklist folder is compared with the worklist, for the target `folder`: what is missing, changed, old or too much in it is put right then.',
      unit: 'seconds',
    }),
    pollSeconds: kind.whole(1, 3600, 2, {
      description: 'How often the changes of Orthanc are read; the plugin tells of them at once.',
      unit: 'seconds',
    }),
    origins: kind.list(
      kind.word(orthancOrigins, { description: 'One of them.', example: 'DicomProtocol' }),
      ['DicomProtocol'],
      {
        description:
          "How images of a modality come into it, in Orthanc's words (its metadata Origin). What came otherwise is a copy: it neither starts nor delays an exam. RestApi and Plugins for modalities that store by DICOMweb (STOW-RS); with them uploads by hand count too. An origin that Orthanc does not know counts always.",
        expected: `a list of ${orthancOrigins.join(', ')}`,
      },
    ),
    retry: retry(
      retryDefaults.orthancs,
      'When it is away: how its changes are read again, and how what its folder lacks is brought again. Its plugin says at once that it is back.',
    ),
  })
  .meta({
    description: 'An Orthanc: it answers modalities and tells what was stored.',
    expected: 'a block with the name and url of an Orthanc',
  })

const destination = z
  .strictObject({
    name: kind.endpointName({ description: 'Status pipelines send to it by this name.', example: 'ris' }),
    host: kind.host('127.0.0.1', {
      description: 'Where the RIS takes status messages (MLLP).',
      environment: 'WORKLANE_RIS_HOST',
    }),
    port: kind.optionalPort({
      description: 'Its port; empty: no status is sent.',
      example: '2576',
      environment: 'WORKLANE_RIS_PORT',
    }),
    status: kind.reference('status', {
      description:
        'The form in which it is told: the name of the status pipeline with `to: origin` that speaks to it. Pipelines that name this destination in `to` speak to it besides.',
    }),
    header: z
      .strictObject({
        sendingApplication: kind.text('', { description: 'MSH-3.', example: 'WORKLANE' }),
        sendingFacility: kind.text('', { description: 'MSH-4.', example: 'RADIOLOGY' }),
        receivingApplication: kind.text('', { description: 'MSH-5.', example: 'RIS' }),
        receivingFacility: kind.text('', { description: 'MSH-6.', example: 'HOSPITAL' }),
      })
      .prefault({})
      .meta({
        description:
          'Who speaks to whom, where it is not simply the other way round than in the order. Empty: as the pipeline says.',
        expected: 'a block of settings',
      }),
    charset: kind.choice(charsets, 'UNICODE UTF-8', {
      description:
        'Character set of what it is told, as HL7 table 0211 names it; MSH-18 says it. What this set cannot write is left out of a message, with a warning (E635): nothing stands in its place.',
      example: '8859/1',
    }),
    acknowledgmentSeconds: kind.whole(1, 3600, 30, {
      description: 'How long its acknowledgment may take before the message is sent again.',
      unit: 'seconds',
    }),
    retry: retry(retryDefaults.destinations, 'When it is away, or does not take a message: how it is tried again.'),
  })
  .meta({
    description: 'A receiver of status messages, usually the RIS.',
    expected: 'a block with the name, host and port of a destination',
  })

const policies = ['quiet', 'stable', 'ris', 'mpps'] as const

const completionRule = z
  .strictObject({
    modalities: kind.list(kind.modality({ description: 'One of them.', example: 'CT' }), [], {
      description: 'Modalities of the steps that it is for, as the worklist names them; empty: all.',
      example: '[US, MG]',
      expected: 'a list of modalities in capitals, such as [US, MG]',
    }),
    stations: kind.list(kind.stationAeTitle({ description: 'One of them.', example: 'CT01' }), [], {
      description: 'Scheduled station AE titles of the steps that it is for; empty: all.',
      example: '[CT01, CT02]',
      expected: 'a list of AE titles, such as [CT01, CT02]',
    }),
    policy: kind.word(policies, {
      description: 'When such a step is over; as `policy` of the site.',
      example: 'ris',
    }),
    quietSeconds: kind.wholeOrEmpty(1, 604_800, {
      description: 'For the policy `quiet`; empty: that of the site.',
      example: '600',
      unit: 'seconds',
    }),
  })
  .meta({
    description: 'A rule for some modalities or stations. With both, both must fit.',
    expected: 'a block with modalities or stations, and a policy',
  })

export const site = z.strictObject({
  dataDir: kind.text('./.worklane', {
    description: 'What the engine keeps: the embedded Redis, the token, the lock. Relative to where it is started.',
    environment: 'WORKLANE_DATA_DIR',
  }),
  redisUrl: kind.url(['redis:', 'rediss:'], '', {
    description: 'A Redis of the site; empty: the engine runs its own in `dataDir`.',
    example: 'redis://redis:6379/0',
    environment: 'WORKLANE_REDIS_URL',
    isSecret: true,
  }),
  bind: kind.host('127.0.0.1', {
    description: 'Address on which messages and HTTP requests are taken; 0.0.0.0: all of this machine.',
    environment: 'WORKLANE_BIND',
  }),
  http: z
    .strictObject({
      port: kind.whole(0, 65_535, 8575, {
        description: 'Port of the API, health and metrics.',
        expected: kind.portWords,
        environment: 'WORKLANE_HTTP_PORT',
      }),
      token: kind.token({
        description: 'Secret of the HTTP API; empty: made at the first start into `dataDir/token`.',
        example: '${WORKLANE_TOKEN}',
        environment: 'WORKLANE_TOKEN',
        isSecret: true,
      }),
    })
    .prefault({})
    .meta({ description: 'The HTTP API.', expected: 'a block of settings' }),
  timeZone: kind.timeZone({
    description:
      'Zone of times without an offset, where a source has none of its own; empty: the zone of this machine.',
    example: 'Europe/Berlin',
  }),
  folders: z
    .strictObject({
      pipelines: kind.text('../pipelines', {
        description: 'Folder of the pipelines, one folder with a `pipeline.yaml` each; relative to this file.',
      }),
      tables: kind.text('tables', {
        description: 'Folder of the CSV tables that pipelines name; relative to this file.',
      }),
    })
    .prefault({})
    .meta({ description: 'Where the meaning of messages is written.', expected: 'a block of settings' }),
  sources: z
    .array(source)
    .min(1)
    .meta({ description: 'The listeners: where RIS send orders.', expected: 'a list with at least one source' }),
  orthancs: z.array(orthanc).default([]).meta({ description: 'The Orthancs.', expected: 'a list' }),
  destinations: z
    .array(destination)
    .default([])
    .meta({ description: 'The receivers of status messages.', expected: 'a list' }),
  completion: z
    .strictObject({
      policy: kind.choice(policies, 'quiet', {
        description:
          'When an exam is over. quiet: no new images for quietSeconds. stable: Orthanc calls the study stable. ris: the RIS says so. mpps: the modality says so by MPPS, which a connector brings to this engine (docs/how-to/correct-by-hand.md).',
        environment: 'WORKLANE_COMPLETION',
      }),
      quietSeconds: kind.whole(1, 604_800, 1800, {
        description: 'For the policy `quiet`; each new image starts it again.',
        unit: 'seconds',
        environment: 'WORKLANE_QUIET_SECONDS',
      }),
      rules: z.array(completionRule).default([]).meta({
        description: 'Where modalities or stations differ from the site: the first rule that fits a step counts.',
        expected: 'a list of rules',
      }),
    })
    .prefault({})
    .meta({ description: 'When an exam is over.', expected: 'a block of settings' }),
  noShow: z
    .strictObject({
      days: kind.whole(0, 3650, 7, {
        description:
          'A step that never began leaves the worklist (EXPIRED) when its scheduled day has been over for so long; 0: never.',
        unit: 'days',
      }),
      afterClockJumpHours: kind.whole(0, 168, 12, {
        description:
          'After a jump of the clock nothing expires before it has run steadily for so long: time for a person to correct a wrong clock, before it empties the worklist.',
        unit: 'hours',
      }),
    })
    .prefault({})
    .meta({ description: 'Patients who did not come.', expected: 'a block of settings' }),
  defaults: z
    .strictObject({
      stationAeTitle: kind.aeTitle('', {
        description:
          'Of steps for which neither message nor table names a station; empty: none, and `incomplete` says what happens.',
        example: 'CT01',
      }),
      modality: kind.modalityOrEmpty({
        description:
          'Of steps for which neither message nor table names one; empty: none, and `incomplete` says what happens. Not of bookings (SIU), which may be of any clinic.',
        example: 'CT',
      }),
      issuerOfPatientId: kind.text('', {
        description: 'Assigning authority of patient IDs that come without one (PID-3.4).',
        example: 'HOSP',
      }),
      incomplete: kind.choice(incompletes, 'refuse', {
        description:
          'An order with a start whose modality, station or procedure nobody knows. refuse: AE 101, the sender must add it. hold: it is kept (UNSCHEDULED), listed with what it lacks, and shown to no modality until a message brings that. An order without a start is kept in either case.',
      }),
    })
    .prefault({})
    .meta({ description: 'Used where neither message nor table gives a value.', expected: 'a block of settings' }),
  stop: z
    .strictObject({
      drainSeconds: kind.whole(0, 600, 10, {
        description:
          'A stopping engine takes nothing new and goes on applying and telling what it has for at most so long. Then it ends; what is left is safe in the store. Whoever stops it (Docker, Kubernetes, systemd) should wait 10 s longer.',
        unit: 'seconds',
      }),
    })
    .prefault({})
    .meta({ description: 'How the engine ends.', expected: 'a block of settings' }),
  retention: z
    .strictObject({
      messageDays: kind.whole(1, 3650, 14, { description: 'Messages older than this are removed.', unit: 'days' }),
      messageCount: kind.whole(100, 100_000_000, 100_000, {
        description: 'More messages than this are removed, the oldest first; about 4 kB each in Redis.',
        unit: 'messages',
      }),
      orderDays: kind.whole(1, 3650, 60, {
        description:
          'Orders on which nothing happened for so long, and whose last scheduled day is as long over, are removed with their items and history. Steps that are still on the worklist then expire first: they leave it, and their order is removed after the same time again.',
        unit: 'days',
      }),
      orderCount: kind.whole(100, 100_000_000, 100_000, {
        description:
          'More orders than this are removed, the oldest first; about 8 kB each in Redis. What modalities see is kept beyond it until 7 days after its scheduled day.',
        unit: 'orders',
      }),
      deadLetterDays: kind.whole(1, 3650, 90, {
        description: 'Dead letters, of messages received and of status messages, wait for a person for so long.',
        unit: 'days',
      }),
      deadLetterCount: kind.whole(100, 100_000_000, 10_000, {
        description:
          'More dead letters than this are removed, the oldest first; of each destination, and of messages received.',
        unit: 'messages',
      }),
      mergedPatientDays: kind.whole(1, 36_500, 3650, {
        description:
          'For so long a merged Patient ID leads to who the patient is now, when none of their orders is kept any more.',
        unit: 'days',
      }),
      mergedPatientCount: kind.whole(100, 100_000_000, 1_000_000, {
        description: 'More merged patients than this are removed, the oldest first, unless an order of theirs is kept.',
        unit: 'patients',
      }),
      duplicateDays: kind.whole(1, 3650, 7, {
        description:
          'A message that comes again within so long, with the same MSH-10 and text from the same source, gets the stored AA again and has no second effect.',
        unit: 'days',
      }),
      duplicateCount: kind.whole(1000, 100_000_000, 200_000, {
        description:
          'Of more messages than this the oldest are no longer known again, however young; about 200 bytes each in Redis.',
        unit: 'messages',
      }),
    })
    .prefault({})
    .meta({
      description: 'What the store keeps. What waits or is owed is never removed.',
      expected: 'a block of settings',
    }),
  log: z
    .strictObject({
      level: kind.choice(['debug', 'info', 'warn', 'error'], 'info', {
        description: 'debug: a line for each message. Logs hold no patient data.',
        environment: 'WORKLANE_LOG_LEVEL',
      }),
    })
    .prefault({})
    .meta({ description: 'The log, JSON lines on standard output.', expected: 'a block of settings' }),
})

/** The file as it was checked, before paths and defaults that depend on the machine. */
export type DeclaredSite = z.output<typeof site>
