import type { OrderId } from './ids.ts'
import type { Command } from './inbox.ts'
import type { StepStatus } from './order.ts'
import type { StatusEventKind } from './world.ts'

/** What a command by hand would do if it were given now; nothing has happened. */
export interface Preview {
  /** The order that it names first, with all its steps; others only where one of theirs changes. */
  readonly orders: readonly {
    readonly id: OrderId
    readonly steps: readonly { readonly key: string; readonly from: StepStatus; readonly to: StepStatus }[]
  }[]
  /** What would be told, and to whom. */
  readonly messages: readonly { readonly endpoint: string; readonly event?: StatusEventKind }[]
}

export type TryCommand = (entry: {
  readonly by: string
  readonly reason: string
  readonly command: Command
}) => Promise<Preview>
