import { createHash } from 'node:crypto'
import type { Activation, Configurations, ConfigurationTexts } from '../core/configuration.ts'
import type { Connection } from './connection.ts'
import { script } from './scripts.ts'
import { parsed } from './world.ts'

/** So many activations are kept, and the files of those. */
const kept = 100

/**
 * activation, version, names and hashes of its files, how many to keep, then hash and text of each file. Files that
 * several versions share are kept once; what no kept activation names goes.
 */
const activate = script(
  'activateConfiguration',
  `
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
local activation = cjson.decode(ARGV[1])
activation.number = redis.call('HINCRBY', 'wl:configuration', 'number', 1)
redis.call('HSET', 'wl:configuration:versions', ARGV[2], ARGV[3])
for i = 5, #ARGV, 2 do redis.call('HSET', 'wl:configuration:texts', ARGV[i], ARGV[i + 1]) end
redis.call('LPUSH', 'wl:configurations', cjson.encode(activation))
redis.call('LTRIM', 'wl:configurations', 0, tonumber(ARGV[4]) - 1)
local versions, texts = {}, {}
for _, line in ipairs(redis.call('LRANGE', 'wl:configurations', 0, -1)) do versions[cjson.decode(line).version] = true end
for _, version in ipairs(redis.call('HKEYS', 'wl:configuration:versions')) do
  if versions[version] then
    local files = cjson.decode(redis.call('HGET', 'wl:configuration:versions', version))
    for _, hash in pairs(files) do texts[hash] = true end
  else
    redis.call('HDEL', 'wl:configuration:versions', version)
  end
end
for _, hash in ipairs(redis.call('HKEYS', 'wl:configuration:texts')) do
  if not texts[hash] then redis.call('HDEL', 'wl:configuration:texts', hash) end
end
return activation.number`,
)

/** Versions of the site's files that were in force, for who wants one of them back. */
export function createConfigurations({ connection }: { connection: Connection }): Configurations {
  return {
    async activate(activation, texts) {
      const files = Object.entries(texts).map(([name, content]) => ({ name, content, hash: hashOf(content) }))
      const manifest = JSON.stringify(Object.fromEntries(files.map(({ name, hash }) => [name, hash])))
      const number = await connection.run(activate, [
        JSON.stringify(activation),
        activation.version,
        manifest,
        kept,
        ...files.flatMap(({ hash, content }) => [hash, content]),
      ])
      return { ...activation, number: Number(number) }
    },

    async activations(limit = 0) {
      const lines = await connection.ask((redis) => redis.lrange('wl:configurations', 0, limit - 1))
      return lines.flatMap((line) => (parsed(line) as Activation | undefined) ?? [])
    },

    async texts(version) {
      const manifest = await connection.ask((redis) => redis.hget('wl:configuration:versions', version))
      if (manifest === null) return undefined
      const files = Object.entries(JSON.parse(manifest) as ConfigurationTexts)
      const found = await connection.ask((redis) =>
        redis.hmget('wl:configuration:texts', ...files.map(([, hash]) => hash)),
      )
      const entries = files.map(([name], at) => [name, found[at]] as const)
      if (entries.some(([, content]) => content === null)) return undefined
      return Object.fromEntries(entries.map(([name, content]) => [name, content ?? '']))
    },
  }
}

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 24)
}
