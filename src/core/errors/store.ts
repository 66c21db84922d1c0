import { entry, type ErrorEntry } from './entry.ts'

/** E5xx: Redis and the queue. */
export const storeErrors = {
  E501: entry(
    'The store (Redis) is not available.',
    'transient',
    'Start Redis again; the engine takes messages again by itself.',
  ),
  E502: entry(
    'Another Worklane engine uses the data folder {folder}.',
    'permanent',
    'Stop the other engine, or give this one a folder of its own (WORKLANE_DATA_DIR). Several engines share one store through WORKLANE_REDIS_URL.',
  ),
  E503: entry(
    'redis-server did not start: {reason}',
    'permanent',
    'Read the reason; the data is untouched in the data folder. `redis-check-aof` examines a damaged file.',
  ),
  E504: entry(
    'Redis may lose an acknowledged order when it stops: {setting} is {value}.',
    'permanent',
    'Set `appendonly yes` and `appendfsync always` in Redis.',
  ),
  E505: entry(
    'Redis may throw data away when memory is short: maxmemory-policy is {policy}.',
    'permanent',
    'Set `maxmemory-policy noeviction` in Redis.',
  ),
  E506: entry('Redis {version} is too old.', 'permanent', 'Use Redis 6.2 or newer.'),
  E507: entry(
    'Redis Cluster cannot be the store: one change touches many keys at once.',
    'permanent',
    'Use a single Redis, with a replica or Sentinel if it must fail over.',
  ),
  E508: entry(
    'The store was written by a newer Worklane (format {found}; this one knows {known}).',
    'permanent',
    'Start the newer Worklane again, or give this one an empty store.',
  ),
  E509: entry(
    'The store (Redis) refuses changes: {reason}.',
    'transient',
    'OOM: raise maxmemory or shorten retention. READONLY: point WORKLANE_REDIS_URL at the primary. MISCONF: look at its disk.',
  ),
  E510: entry(
    'The embedded redis-server ended ({reason}).',
    'transient',
    'It is started again by itself; if it keeps ending, look at the disk and the memory of this machine.',
  ),
  E511: entry(
    'There is no redis-server on this machine.',
    'permanent',
    'Install it (`npm run setup`, or the package redis-server), or name a Redis in WORKLANE_REDIS_URL.',
  ),
  E512: entry(
    'The data folder {folder} cannot be used ({reason}).',
    'permanent',
    'Make it writable for the user of the engine, or name another in WORKLANE_DATA_DIR.',
  ),
  E513: entry(
    '{missing} is missing on this machine: an engine that is killed may leave its redis-server behind.',
    'permanent',
    'Install util-linux (setpriv, flock), or name a Redis in WORKLANE_REDIS_URL.',
  ),
  E514: entry(
    'The store did not take a command of the engine ({reason}).',
    'permanent',
    'A key of the engine (`wl:*`) was written by something else, or this is a defect: keep the log line and report it.',
  ),
  E517: entry(
    'The store has come back without its last changes; nothing is taken, applied or served from it until a person has looked.',
    'permanent',
    'Redis lost what was acknowledged, or an older copy of it was put back. Put the right data back if there is any. Otherwise `worklane accept-loss --reason ...`, and ask the senders to repeat what they sent since; let Redis write each change (`appendfsync always`).',
  ),
  E518: entry(
    'Redis is nearly full ({percent} % of its maxmemory): no new messages are taken until less than {open} % are used; what was taken is applied and delivered.',
    'transient',
    'Raise maxmemory of Redis, or shorten retention (`retention` in worklane.yaml). The senders keep what was not acknowledged.',
  ),
  E519: entry(
    'The store is empty, and it was not when this engine last saw it; nothing is taken or served until a person has looked.',
    'permanent',
    "Look why Redis is empty, and put its data back (`worklane restore FILE`). If there is none: `worklane accept-loss --reason ...`, and ask the RIS to send today's orders again.",
  ),
  E520: entry(
    'This is another store than the one that this data folder belongs to; it is not touched.',
    'permanent',
    'Correct WORKLANE_REDIS_URL or WORKLANE_DATA_DIR. If this store is meant to take the place of the other: `worklane accept-loss --reason ...`.',
  ),
  E515: entry(
    'What is read from the store changes again and again before it can be applied.',
    'transient',
    'Look whether another program writes or removes keys of the engine (`wl:*`).',
  ),
  E516: entry(
    'Redis at {address} does not answer.',
    'permanent',
    'Start it, or correct WORKLANE_REDIS_URL; when that is empty, the engine runs a Redis of its own.',
  ),
  E521: entry(
    '{file} is not a backup that can be restored: {reason}.',
    'permanent',
    'Use another backup. Nothing was written.',
  ),
  E522: entry(
    'There is a store already (its last number is {seq}); nothing was written.',
    'permanent',
    'Restore into an empty data folder or Redis. `--force` removes what is there, for good: back it up before.',
  ),
  E523: entry(
    'A restore into this store was begun and has not ended.',
    'permanent',
    'Run `worklane restore FILE` again to its end.',
  ),
  E524: entry(
    'The backup could not be made: {reason}.',
    'permanent',
    'Read the reason; nothing has changed in the store, and no file was left.',
  ),
  E525: entry('An engine works on this store.', 'permanent', 'Stop every engine of this store first.'),
  E526: entry(
    'The disk of the data folder {folder} has {free} MB left; when it is full, no messages are taken.',
    'transient',
    'Make room on it: old backups, logs, other programs. What was acknowledged is safe.',
  ),
  E527: entry(
    'The store has come back in an older format ({found}; this engine works with {known}).',
    'permanent',
    'Start the engine again: it brings the store up to date.',
  ),
} satisfies Record<string, ErrorEntry>
