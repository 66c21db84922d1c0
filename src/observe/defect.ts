/** What the log keeps of an error that nobody expected: of its stack the places only, for texts may quote what they were given (I9). */
export function defect(error: unknown): { readonly error: string; readonly stack?: string | undefined } {
  return error instanceof Error ? { error: error.name, stack: error.stack } : { error: typeof error }
}
