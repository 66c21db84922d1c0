#!/usr/bin/env node
/**
 * The command `worklane`. Plain JavaScript that any Node understands, so that a Node
 * that cannot run the sources says so in a sentence instead of a stack.
 */
const wanted = 24
if (Number(process.versions.node.split('.')[0]) < wanted) {
  process.stderr.write(
    `Worklane needs Node ${wanted} or newer; this is ${process.version} (${process.execPath}). ` +
      'In a clone of Worklane, `npm run -s worklane -- VERB` uses the Node that its set-up installs.\n',
  )
  process.exitCode = 1
} else {
  const [{ worklane }, { processIo }] = await Promise.all([import('./worklane.ts'), import('./output.ts')])
  process.exitCode = await worklane(process.argv.slice(2), processIo())
}
