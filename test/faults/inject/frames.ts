/** MLLP as a peer of the engine sees it (HL7 LLP: <VT> message <FS><CR>); shares nothing with the engine's own. */
export const startBlock = 0x0b
const end = Buffer.from([0x1c, 0x0d])

export interface Frames {
  /** The frames that are whole now, with their frame bytes. */
  push(chunk: Uint8Array): readonly Buffer[]
  /** Takes out what is no whole frame yet. */
  rest(): Buffer
}

/** Collects bytes until there are whole frames. */
export function createFrames(): Frames {
  let rest: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk])
      const frames: Buffer[] = []
      for (let at = rest.indexOf(end); at !== -1; at = rest.indexOf(end)) {
        frames.push(rest.subarray(0, at + 2))
        rest = rest.subarray(at + 2)
      }
      return frames
    },
    rest() {
      const taken = rest
      rest = Buffer.alloc(0)
      return taken
    },
  }
}

/** Without the frame bytes. */
export function content(frame: Buffer): Buffer {
  return frame.subarray(frame.indexOf(startBlock) + 1, -2)
}

export function framed(text: string): Buffer {
  return Buffer.concat([Buffer.from([startBlock]), Buffer.from(text, 'latin1'), end])
}

/** The fields of the first segment of that name, with MSH-1 counted. */
export function fieldsOf(message: Buffer, name: string): readonly string[] {
  const segment = message
    .toString('latin1')
    .split(/[\r\n]/)
    .find((line) => line.startsWith(name))
  const fields = segment?.split('|') ?? []
  return name === 'MSH' ? [fields[0] ?? '', '|', ...fields.slice(1)] : fields
}
