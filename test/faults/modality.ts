import { setTimeout as pause } from 'node:timers/promises'

/** A series of one image, as a modality makes it of a worklist item (IHE RAD-8). */
export interface ImageSaid {
  readonly patientId: string
  readonly patientName: string
  readonly accession: string
  readonly studyInstanceUid: string
  readonly seriesInstanceUid: string
  readonly sopInstanceUid: string
  readonly modality: string
  readonly station: string
  readonly requestedProcedureId: string
  readonly stepId: string
}

/** Stored, however often it takes; the same image again is no other one (PS3.4 B). */
export async function store(httpUrl: string, image: ImageSaid, signal: AbortSignal): Promise<void> {
  const body = fileOf(image)
  for (;;) {
    signal.throwIfAborted()
    try {
      const limits = AbortSignal.any([signal, AbortSignal.timeout(5000)])
      const answer = await fetch(`${httpUrl}/instances`, { method: 'POST', body: new Uint8Array(body), signal: limits })
      await answer.arrayBuffer()
      if (answer.ok) return
    } catch {
      // Away, or frozen: as before.
    }
    await pause(50)
  }
}

const ctImage = '1.2.840.10008.5.1.4.1.1.2'

/** Part 10, Explicit VR Little Endian (PS3.5 7.1, PS3.10 7.1). */
function fileOf(image: ImageSaid): Buffer {
  const meta = Buffer.concat([
    element('0002', '0001', 'OB', Buffer.from([0, 1])),
    text('0002', '0002', 'UI', ctImage),
    text('0002', '0003', 'UI', image.sopInstanceUid),
    text('0002', '0010', 'UI', '1.2.840.10008.1.2.1'),
    text('0002', '0012', 'UI', '1.2.826.0.1.3680043.10.1'),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(meta.length)
  const item = Buffer.concat([
    text('0040', '0009', 'SH', image.stepId),
    text('0040', '1001', 'SH', image.requestedProcedureId),
  ])
  const sequence = Buffer.concat([tag('fffe', 'e000'), uint32(item.length), item])
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element('0002', '0000', 'UL', length),
    meta,
    text('0008', '0005', 'CS', 'ISO_IR 192'),
    text('0008', '0016', 'UI', ctImage),
    text('0008', '0018', 'UI', image.sopInstanceUid),
    text('0008', '0050', 'SH', image.accession),
    text('0008', '0060', 'CS', image.modality),
    text('0008', '1010', 'SH', image.station),
    text('0010', '0010', 'PN', image.patientName),
    text('0010', '0020', 'LO', image.patientId),
    text('0020', '000d', 'UI', image.studyInstanceUid),
    text('0020', '000e', 'UI', image.seriesInstanceUid),
    text('0020', '0013', 'IS', '1'),
    element('0040', '0275', 'SQ', sequence),
  ])
}

function text(group: string, number: string, vr: string, value: string): Buffer {
  const bytes = Buffer.from(value)
  const padding = bytes.length % 2 === 0 ? '' : vr === 'UI' ? '\0' : ' '
  return element(group, number, vr, Buffer.concat([bytes, Buffer.from(padding)]))
}

function element(group: string, number: string, vr: string, value: Buffer): Buffer {
  const isLong = vr === 'OB' || vr === 'SQ'
  const length = isLong ? Buffer.concat([Buffer.alloc(2), uint32(value.length)]) : uint16(value.length)
  return Buffer.concat([tag(group, number), Buffer.from(vr), length, value])
}

function tag(group: string, number: string): Buffer {
  return Buffer.concat([uint16(Number.parseInt(group, 16)), uint16(Number.parseInt(number, 16))])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
