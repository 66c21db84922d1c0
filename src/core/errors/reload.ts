import { entry, type ErrorEntry } from './entry.ts'

/** E84x: another configuration while the engine runs. */
export const reloadErrors = {
  E840: entry(
    'The files have mistakes; nothing was changed, and version {version} goes on.',
    'permanent',
    'Mend what is listed (`worklane check` tells the same), and reload again.',
  ),
  E841: entry(
    'These changes need a restart: {subjects}. Nothing was changed, and version {version} goes on.',
    'permanent',
    'Restart the engine, which takes everything from the files; or put these settings back, and reload the rest.',
  ),
  E842: entry(
    'The files have changed since the plan was shown: they are version {found} now. Nothing was changed.',
    'permanent',
    'Look at the plan of what is there now: `worklane reload --plan`.',
  ),
  E843: entry(
    'There is no such version to go back to. Nothing was changed.',
    'permanent',
    'Kept are: {known}. `worklane configuration` lists them with their times; or put the files right, and reload.',
  ),
  E844: entry(
    'Version {newest} of the configuration was put in force in another engine of this store; this one runs {version}.',
    'permanent',
    'Bring the same files to this engine and run `worklane reload` for it. If this one has the right files, or the other is gone for good, run it all the same: then the other is behind. Messages are judged by the version of the engine that takes them.',
  ),
  E845: entry(
    'This engine was rolled back to version {version} of the configuration; the files hold {found}.',
    'permanent',
    'Put the files right and run `worklane reload`: the next start takes what they hold.',
  ),
  E846: entry(
    'There is no version of the configuration with this name.',
    'permanent',
    'GET /api/configuration lists those that are kept.',
  ),
  E847: entry(
    'The files change while they are read. Nothing was changed, and version {version} goes on.',
    'transient',
    'Wait until whoever writes or copies them has finished, and reload again.',
  ),
  E848: entry(
    'This engine started with its files, which are version {version}; a rollback had put version {other} in force before.',
    'permanent',
    'If the rollback was right, run `worklane rollback`, and put the files right. If the files are, run `worklane reload`.',
  ),
} satisfies Record<string, ErrorEntry>
