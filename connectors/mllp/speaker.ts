/** What is said to the sender of a frame. */
export type Reply =
  | Answer
  | { readonly kind: 'later'; readonly answer: Promise<Answer>; readonly also?: readonly Later[] }

/** In the frame's turn. */
export type Answer =
  | { readonly kind: 'acknowledge'; readonly bytes: Uint8Array; readonly also?: readonly Later[] }
  /** No acknowledgment: the sender keeps its message and tries again. */
  | { readonly kind: 'close' }
  /** The frame is owed no answer; the next one follows. */
  | { readonly kind: 'nothing'; readonly also?: readonly Later[] }

/** An application acknowledgment (HL7 2.5.1 §2.9.3): said behind the answer to its frame, when it is known. */
export interface Later {
  /** Undefined: there is none, or it cannot be known now. Never rejects. */
  readonly bytes: Promise<Uint8Array | undefined>
  /** Called once: whether it has come to the sender, as far as anybody can know. */
  end(isDelivered: boolean): void
}

export interface SpeakerOptions {
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void> | undefined
  /** Ends the connection without another word. */
  close(): void
  /** An application acknowledgment has come when its connection has stood for so long. */
  readonly deliveredMilliseconds: number
}

export interface Speaker {
  /** Says it in its turn. A promise while too much waits to be said. */
  say(reply: Reply): Promise<void> | undefined
  /** An answer is not known yet: it is the engine that is waited for, not the sender. */
  readonly isAwaiting: boolean
  /** Resolves when all answers are said, and all application acknowledgments or, without them, the answers only. */
  said(what: 'answers' | 'all'): Promise<void>
  /** Nothing more can be said. */
  over(isDelivered: boolean): void
}

/** So many answers, and application acknowledgments, may wait for what they say; then no more frames are handled. */
const window = { answers: 64, later: 256 } as const

/**
 * Says the answers on one connection in the order of its frames, however long each
 * takes to be known, and the application acknowledgments of enhanced mode in the same
 * order among themselves, each behind the answer to its frame.
 */
export function createSpeaker(options: SpeakerOptions): Speaker {
  const turn: Reply[] = []
  const behind: Later[] = []
  /** Written, and not long ago. */
  const fresh = new Map<Later, NodeJS.Timeout>()
  let isAnswering = false
  let isFollowing = false
  let isOver = false
  /** The sender does not read what is being said. */
  let isHeldUp = false
  let waiters: (() => void)[] = []

  return {
    say(reply) {
      if (isOver) {
        for (const later of alsoOf(reply)) later.end(false)
        return undefined
      }
      turn.push(reply)
      if (!isAnswering) void answer()
      return isFull() ? until(() => !isFull()) : undefined
    },
    get isAwaiting() {
      return turn.length > 0 && !isHeldUp
    },
    said: (what) => until(() => isOver || (turn.length === 0 && (what === 'answers' || behind.length === 0))),
    over(isDelivered) {
      if (isOver) return
      isOver = true
      for (const [later, timer] of fresh) {
        clearTimeout(timer)
        later.end(isDelivered)
      }
      fresh.clear()
      for (const later of [...behind, ...turn.flatMap(alsoOf)]) later.end(false)
      behind.length = 0
      turn.length = 0
      tell()
    },
  }

  /** Never rejects. */
  async function answer(): Promise<void> {
    isAnswering = true
    for (let reply = turn[0]; reply !== undefined; reply = turn[0]) {
      const said = reply.kind === 'later' ? await answerOf(reply) : reply
      if (isOver) break
      if (said.kind === 'close') {
        options.close()
        break
      }
      const drained = said.kind === 'acknowledge' ? options.write(said.bytes) : undefined
      isHeldUp = drained !== undefined
      if (drained !== undefined) await drained
      isHeldUp = false
      if (isOver) break
      turn.shift()
      behind.push(...alsoOf(said), ...(reply === said ? [] : alsoOf(reply)))
      if (behind.length > 0 && !isFollowing) void follow()
      tell()
    }
    isAnswering = false
  }

  async function follow(): Promise<void> {
    isFollowing = true
    for (let later = behind[0]; later !== undefined; later = behind[0]) {
      const bytes = await later.bytes
      if (isOver) break
      behind.shift()
      if (bytes === undefined) later.end(false)
      else {
        keep(later)
        const drained = options.write(bytes)
        if (drained !== undefined) await drained
      }
      tell()
    }
    isFollowing = false
  }

  function keep(later: Later): void {
    const done = (): void => {
      fresh.delete(later)
      later.end(true)
    }
    fresh.set(later, setTimeout(done, options.deliveredMilliseconds))
  }

  function isFull(): boolean {
    return !isOver && (turn.length >= window.answers || behind.length >= window.later)
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => waiters.push(resolve))
  }

  function tell(): void {
    if (waiters.length === 0) return
    const told = waiters
    waiters = []
    for (const resolve of told) resolve()
  }
}

async function answerOf({ answer }: Extract<Reply, { kind: 'later' }>): Promise<Answer> {
  try {
    return await answer
  } catch {
    return { kind: 'close' }
  }
}

function alsoOf(reply: Reply): readonly Later[] {
  return reply.kind === 'close' ? [] : (reply.also ?? [])
}
