import { processIo } from './cli/output.ts'
import { start } from './cli/start.ts'

// The engine as a program: `node src/main.ts --config FILE` is `worklane start`.
process.exitCode = await start(process.argv.slice(2), processIo())
