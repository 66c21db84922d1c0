import { messageStates } from '../core/message.ts'
import type { CounterDifference, Counters, DestinationCounts, StoreCounters } from '../core/ports.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { script } from './scripts.ts'

/**
 * The store's own figures. Each is written by the script that makes the change it counts, so no crash comes between
 * them; they are read in one script, so that their sums hold at the moment of reading; and they can be
 * counted again from what is there.
 *
 * Per source: received = waiting + applied + ignored + invalid + dead.
 * Per destination: queued = waiting + delivered + dead + discarded.
 */
export function createCounters({ connection }: { connection: Connection }): Counters {
  return {
    async counters() {
      return readCounters(list(await connection.run(read, [])))
    },
    async recount(how) {
      const found = list(await connection.run(recount, [how, mostByItself, ...messageStates]))
      return found.map((difference) => {
        const [of, name, what, counted, is] = list(difference).map(text)
        const where = of === 'destination' ? { destination: name ?? '' } : { source: name ?? '' }
        return { ...where, what: what ?? '', counted: Number(counted), found: Number(is) } satisfies CounterDifference
      })
    },
  }
}

/** More messages than this are counted only when a person asks for it. */
const mostByItself = 200_000

/** Of everything that has counters: sources by `received`, destinations by whatever was counted of them. */
const namesOf = `
local function names_of(hash)
  local seen, names = {}, {}
  for _, field in ipairs(redis.call('HKEYS', hash)) do
    local name = string.match(field, '^%w+\\n(.*)$')
    if name and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end
`

const read = script(
  'counters',
  `${namesOf}
local now = tonumber(redis.call('TIME')[1])
local sources, destinations = {}, {}
for _, name in ipairs(names_of('wl:counts')) do
  local of = redis.call('HMGET', 'wl:counts', 'received\\n' .. name, 'waiting\\n' .. name, 'applied\\n' .. name,
    'ignored\\n' .. name, 'invalid\\n' .. name, 'dead\\n' .. name)
  local oldest = redis.call('ZRANGE', 'wl:waiting:' .. name, 0, 0, 'WITHSCORES')
  sources[#sources + 1] = { name, oldest[2] and math.max(0, now - tonumber(oldest[2])) or -1,
    of[1] or '0', of[2] or '0', of[3] or '0', of[4] or '0', of[5] or '0', of[6] or '0' }
end
for _, name in ipairs(names_of('wl:sent')) do
  local of = redis.call('HMGET', 'wl:sent', 'queued\\n' .. name, 'delivered\\n' .. name, 'discarded\\n' .. name)
  local oldest = redis.call('ZRANGE', 'wl:out:' .. name, 0, 0)[1]
  local at = oldest and redis.call('HGET', 'wl:send:' .. name .. '\\n' .. oldest, 'at') or ''
  destinations[#destinations + 1] = { name, at or '', of[1] or '0', redis.call('ZCARD', 'wl:out:' .. name), of[2] or '0',
    redis.call('ZCARD', 'wl:dead:' .. name), of[3] or '0' }
end
return { sources, destinations, redis.call('HGETALL', 'wl:notices') }`,
)

/**
 * how ('look' | 'check' | 'repair'), how many messages are counted by itself, states... Answers what differs: (source|destination, name, what, counted, found).
 *
 * check: the sums alone, which costs nothing; only where they differ all is counted and put right.
 * look: all is counted, nothing is changed. repair: all is counted and put right.
 * A store that has not counted everything since its first message begins with what it has (once).
 */
const recount = script(
  'recount',
  `${namesOf}
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
local how, states, differences = ARGV[1], {}, {}
for i = 3, #ARGV do states[#states + 1] = ARGV[i] end
local function number(hash, field) return tonumber(redis.call('HGET', hash, field) or '0') end
local function whole(value) return string.format('%.0f', value) end
local function differs(of, name, what, counted, found)
  differences[#differences + 1] = { of, name, what, whole(counted), whole(found) }
end
local is_first = redis.call('EXISTS', 'wl:counted') == 0
local sources, destinations = names_of('wl:counts'), names_of('wl:sent')

local function is_even()
  for _, state in ipairs(states) do
    local sum = 0
    for _, name in ipairs(sources) do
      sum = sum + number('wl:counts', state .. '\\n' .. name) - number('wl:removed', state .. '\\n' .. name)
    end
    if sum ~= redis.call('ZCARD', 'wl:messages:' .. state) then return false end
  end
  for _, name in ipairs(sources) do
    local sum = 0
    for _, state in ipairs(states) do sum = sum + number('wl:counts', state .. '\\n' .. name) end
    if sum ~= number('wl:counts', 'received\\n' .. name) then return false end
    local cards = redis.call('ZCARD', 'wl:waiting:' .. name)
    if cards ~= number('wl:counts', 'waiting\\n' .. name) then return false end
  end
  return true
end

local total = redis.call('ZCARD', 'wl:messages')
local must_count = is_first or how ~= 'check' or not is_even()
if must_count and how == 'check' and total > tonumber(ARGV[2]) then
  -- So many would hold up everybody for seconds: a person chooses the moment.
  differs('store', '', 'sums', total, 0)
  return differences
end
if must_count then
  local there, lists, known = {}, {}, {}
  for _, name in ipairs(sources) do known[name] = true end
  local function each(visit)
    for from = 0, total - 1, 1000 do
      for _, id in ipairs(redis.call('ZRANGE', 'wl:messages', from, from + 999)) do
        local of = redis.call('HMGET', 'wl:m:' .. id, 'k', 'o')
        if of[1] and of[2] then visit(id, of[1], of[2]) end
      end
    end
  end
  each(function(id, state, source)
    if not known[source] then
      known[source] = true
      sources[#sources + 1] = source
    end
    local field = state .. '\\n' .. source
    there[field] = (there[field] or 0) + 1
    lists[state] = (lists[state] or 0) + 1
    if how ~= 'look' and state == 'waiting' then
      redis.call('ZADD', 'wl:waiting:' .. source, 'NX', redis.call('TIME')[1], id)
    end
  end)
  local are_right = true
  for _, state in ipairs(states) do
    if (lists[state] or 0) ~= redis.call('ZCARD', 'wl:messages:' .. state) then are_right = false end
  end
  if how ~= 'look' and not are_right then
    for _, state in ipairs(states) do redis.call('DEL', 'wl:messages:' .. state) end
    each(function(id, state) redis.call('ZADD', 'wl:messages:' .. state, string.sub(id, 2), id) end)
  end
  for _, name in ipairs(sources) do
    local waiting = 'wl:waiting:' .. name
    if how ~= 'look' and redis.call('ZCARD', waiting) ~= (there['waiting\\n' .. name] or 0) then
      for _, id in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
        if redis.call('HGET', 'wl:m:' .. id, 'k') ~= 'waiting' then redis.call('ZREM', waiting, id) end
      end
    end
    local sum = 0
    for _, state in ipairs(states) do
      local field = state .. '\\n' .. name
      local counted, is = number('wl:counts', field), there[field] or 0
      if is_first then
        if how ~= 'look' and counted > is then redis.call('HSET', 'wl:removed', field, whole(counted - is)) end
        if counted > is then is = counted end
      else
        is = is + number('wl:removed', field)
      end
      if counted ~= is then
        differs('source', name, state, counted, is)
        if how ~= 'look' then redis.call('HSET', 'wl:counts', field, whole(is)) end
      end
      sum = sum + is
    end
    local received = number('wl:counts', 'received\\n' .. name)
    if received ~= sum then
      differs('source', name, 'received', received, sum)
      if how ~= 'look' then redis.call('HSET', 'wl:counts', 'received\\n' .. name, whole(sum)) end
    end
  end
end
for _, name in ipairs(destinations) do
  local dead = redis.call('ZCARD', 'wl:dead:' .. name)
  local discarded = number('wl:sent', 'discarded\\n' .. name)
  if is_first then
    discarded = math.max(discarded, number('wl:sent', 'refused\\n' .. name) - dead)
    if how ~= 'look' then redis.call('HSET', 'wl:sent', 'discarded\\n' .. name, whole(discarded)) end
  end
  local sum = redis.call('ZCARD', 'wl:out:' .. name) + number('wl:sent', 'delivered\\n' .. name) + dead + discarded
  local queued = number('wl:sent', 'queued\\n' .. name)
  if queued ~= sum then
    if not is_first then differs('destination', name, 'queued', queued, sum) end
    if how ~= 'look' then redis.call('HSET', 'wl:sent', 'queued\\n' .. name, whole(sum)) end
  end
end
if how ~= 'look' then redis.call('SETNX', 'wl:counted', redis.call('TIME')[1]) end
return differences`,
)

function readCounters([sources, destinations, notices]: readonly Reply[]): StoreCounters {
  return {
    sources: list(sources).map((of) => {
      const [source = '', oldest, ...rest] = list(of).map(text)
      const [received = 0, waiting = 0, applied = 0, ignored = 0, invalid = 0, dead = 0] = rest.map(Number)
      const oldestSeconds = Number(oldest) < 0 ? undefined : Number(oldest)
      return { source, received, waiting, applied, ignored, invalid, dead, oldestSeconds }
    }),
    destinations: list(destinations).map((of): DestinationCounts => {
      const [destination = '', oldest = '', ...rest] = list(of).map(text)
      const [queued = 0, waiting = 0, delivered = 0, dead = 0, discarded = 0] = rest.map(Number)
      return { destination, queued, waiting, delivered, dead, discarded, oldest: oldest === '' ? undefined : oldest }
    }),
    notices: pairs(list(notices).map(text)),
  }
}

function pairs(flat: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (let at = 0; at + 1 < flat.length; at += 2) found.set(flat[at] ?? '', Number(flat[at + 1]))
  return found
}
