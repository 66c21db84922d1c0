import { createHash } from 'node:crypto'

/**
 * The scripts that make several changes one. Redis does not roll back: every script
 * decides first and then only runs commands that cannot fail. The first write of
 * each is one that Redis refuses when memory is short, so that it refuses the whole.
 */
export interface Script {
  readonly name: string
  readonly text: string
  readonly sha: string
}

export function script(name: string, text: string): Script {
  return { name, text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * The next sequence number. A store that was emptied while the engine ran starts
 * again at the present millisecond, so that no number, id, UID or control ID comes twice.
 */
export const nextSeq = `
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
local function next_seq()
  local seq = redis.call('INCR', 'wl:seq')
  if seq < 1000000000000 then
    local time = redis.call('TIME')
    seq = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('SET', 'wl:seq', string.format('%.0f', seq))
  end
  return seq, string.format('%.0f', seq)
end
`

/** What a state change means for the counters and lists: said once, used by every script that changes one. */
export const setState = `
local function set_state(id, kind, state)
  local key = 'wl:m:' .. id
  local was = redis.call('HMGET', key, 'k', 'o')
  if not was[1] then return end
  redis.call('HSET', key, 'k', kind, 's', state)
  if was[1] == kind then return end
  redis.call('HINCRBY', 'wl:counts', kind .. '\\n' .. was[2], 1)
  redis.call('HINCRBY', 'wl:counts', was[1] .. '\\n' .. was[2], -1)
  redis.call('ZADD', 'wl:messages:' .. kind, string.sub(id, 2), id)
  redis.call('ZREM', 'wl:messages:' .. was[1], id)
  -- By Redis's own time: its age is the same for every engine, whatever their clocks say.
  if kind == 'waiting' then
    redis.call('ZADD', 'wl:waiting:' .. was[2], redis.call('TIME')[1], id)
  elseif was[1] == 'waiting' then
    redis.call('ZREM', 'wl:waiting:' .. was[2], id)
  end
end
`

/**
 * A line of an order's history (wl:h:) or of what was to be sent for it (wl:told:). An order that lives long keeps its first 20
 * and its newest 180 lines; how many are gone in between is counted. What was delivered is forgotten with its line,
 * what is still owed (untold) when it is delivered.
 */
export const keepLine = `
local function keep_line(list, lane, line)
  local key = 'wl:' .. list .. ':' .. lane
  if redis.call('RPUSH', key, line) <= 200 then return end
  local gone = redis.call('LINDEX', key, 20)
  redis.call('LSET', key, 20, '')
  redis.call('LREM', key, 1, '')
  redis.call('HINCRBY', 'wl:leftout', list .. ':' .. lane, 1)
  if list == 'told' then
    local send = 'wl:send:' .. gone
    if redis.call('HEXISTS', send, 'bytes') == 0 then
      redis.call('DEL', send)
    else
      redis.call('HSET', send, 'untold', '1')
    end
  end
end
`

const owesNoMore = `
local function owes_no_more(lane)
  if redis.call('HINCRBY', 'wl:owing', lane, -1) <= 0 then redis.call('HDEL', 'wl:owing', lane) end
end
`

/**
 * The duplicate window (I4): what is remembered of a source and MSH-10 (wl:again), and in which order that was (wl:agains).
 * A message whose MSH-10 another body has used since is remembered further, by its fingerprint too and with its
 * acknowledgment, under a line of its own; its first line takes nothing with it.
 */
const forgetOldest = `
local function forget_oldest()
  local id, field = string.match(redis.call('LPOP', 'wl:agains') or '', '^(%w+) %d+ (.*)$')
  local known = id and redis.call('HGET', 'wl:again', field)
  if known and string.sub(known, 1, #id + 1) == id .. ' ' then redis.call('HDEL', 'wl:again', field) end
end
`

export const scripts = {
  /** A command and its arguments. Nothing is written into a store that was emptied just now: it would be taken for one that is not. */
  write: script(
    'write',
    `
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
return redis.call(unpack(ARGV))`,
  ),

  /**
   * format, highest number that this process knows, identity of the store that it knows ('' for none), a new identity,
   * milliseconds. At each connection and each second: whether this is the store that it was, with all that was
   * acknowledged. Answers (state, format, identity, number), state: here | empty | other | behind | restoring.
   *
   * What was lost is noted in a store that is the same (wl:loss), for all engines, until a person has accepted it; an
   * empty or another one is not written to. A store of a newer format is not touched.
   */
  open: script(
    'open',
    `
local known, highest = ARGV[3], tonumber(ARGV[2])
local identity, seq = redis.call('GET', 'wl:identity'), redis.call('GET', 'wl:seq')
local format = redis.call('GET', 'wl:format') or ''
local function answer(state) return { state, format, identity or '', seq or '0' } end
if redis.call('EXISTS', 'wl:restoring') == 1 then return answer('restoring') end
if format ~= '' and tonumber(format) > tonumber(ARGV[1]) then return answer('here') end
if known ~= '' and not identity and not seq then return answer('empty') end
if known ~= '' and identity and identity ~= known and redis.call('SISMEMBER', 'wl:replaced', known) == 0 then
  return answer('other')
end
if redis.call('EXISTS', 'wl:loss') == 1 then return answer('behind') end
if known ~= '' and (not identity or (identity == known and tonumber(seq or '0') < highest)) then
  redis.call('SET', 'wl:loss', '{"known":' .. ARGV[2] .. ',"found":' .. (seq or '0') .. ',"noticed":' .. ARGV[5] .. '}')
  return answer('behind')
end
if format == '' then
  format = ARGV[1]
  redis.call('SET', 'wl:format', format)
end
if not identity then
  identity = ARGV[4]
  redis.call('SET', 'wl:identity', identity)
end
if not seq then
  local time = redis.call('TIME')
  seq = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('SET', 'wl:seq', seq)
  redis.call('SET', 'wl:applied', seq, 'NX')
end
if tonumber(seq) < highest then redis.call('SET', 'wl:seq', ARGV[2]) end
return answer('here')`,
  ),

  /**
   * identity that the data folder knows ('' for none), highest number, a new identity, the line to be kept, format.
   * A person says that what is lost is lost: the store that is there is the store from now on, for every engine that knew
   * the one before. Numbers go on after the present millisecond, and
   * far above those that are known: what is remembered of them is up to a second old. None comes twice.
   */
  acceptLoss: script(
    'acceptLoss',
    `
local identity = redis.call('GET', 'wl:identity')
if ARGV[1] ~= '' then redis.call('SADD', 'wl:replaced', ARGV[1]) end
if identity then redis.call('SADD', 'wl:replaced', identity) end
redis.call('SREM', 'wl:replaced', ARGV[3])
redis.call('SET', 'wl:identity', ARGV[3])
redis.call('SET', 'wl:format', ARGV[5], 'NX')
local time = redis.call('TIME')
local seq = tonumber(redis.call('GET', 'wl:seq') or '0')
seq = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2]) + 1000000, seq + 1000000)
redis.call('SET', 'wl:seq', string.format('%.0f', seq))
redis.call('SET', 'wl:applied', string.format('%.0f', seq), 'NX')
redis.call('RPUSH', 'wl:losses', ARGV[4])
redis.call('DEL', 'wl:loss')
return 1`,
  ),

  /** source, MSH-10, fingerprint, state kind, state, body, acknowledgment, information, inbox entry, plan, how many are remembered, remembered since ('' if not), owed to, search keys... */
  accept: script(
    'accept',
    `${nextSeq}${forgetOldest}
local source, control, fingerprint, kind = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local again = source .. '\\n' .. control
local function acknowledgment_of(id, kept)
  if kept ~= '' then return kept end
  return redis.call('HGET', 'wl:m:' .. id, 'a')
end
local before
local known = control ~= '' and redis.call('HGET', 'wl:again', again)
if known then
  local id, print, kept = string.match(known, '^(%w+) (%S*) (.*)$')
  if print ~= fingerprint then
    before = { id, print, kept }
    local earlier = redis.call('HGET', 'wl:again', again .. '\\n' .. fingerprint)
    if earlier then id, print, kept = string.match(earlier, '^(%w+) (%S*) (.*)$') end
  end
  local acknowledgment = print == fingerprint and acknowledgment_of(id, kept)
  if acknowledgment then return { 0, id, acknowledgment } end
end
local number, seq = next_seq()
local id = 'M' .. seq
redis.call('HSET', 'wl:m:' .. id, 'b', ARGV[6], 'a', ARGV[7], 'i', ARGV[8], 's', ARGV[5], 'k', kind, 'o', source)
redis.call('ZADD', 'wl:messages', seq, id)
redis.call('ZADD', 'wl:messages:' .. kind, seq, id)
redis.call('HINCRBY', 'wl:counts', 'received\\n' .. source, 1)
redis.call('HINCRBY', 'wl:counts', kind .. '\\n' .. source, 1)
if kind == 'waiting' then
  redis.call('XADD', 'wl:inbox', seq .. '-0', 'e', ARGV[9])
  redis.call('ZADD', 'wl:waiting:' .. source, redis.call('TIME')[1], id)
end
if ARGV[10] ~= '' then redis.call('HINCRBY', 'wl:planrefs', ARGV[10], 1) end
if ARGV[12] ~= '' and control ~= '' then
  local acknowledgment = before and acknowledgment_of(before[1], before[3])
  if acknowledgment then
    local earlier = again .. '\\n' .. before[2]
    redis.call('HSET', 'wl:again', earlier, before[1] .. ' ' .. before[2] .. ' ' .. acknowledgment)
    redis.call('RPUSH', 'wl:agains', before[1] .. ' ' .. ARGV[12] .. ' ' .. earlier)
  end
  redis.call('HSET', 'wl:again', again, id .. ' ' .. fingerprint .. ' ')
  local excess = redis.call('RPUSH', 'wl:agains', id .. ' ' .. ARGV[12] .. ' ' .. again) - tonumber(ARGV[11])
  for _ = 1, math.min(excess, 10) do forget_oldest() end
end
if ARGV[13] ~= '' then
  local replies = 'wl:replies:' .. source .. '\\n' .. ARGV[13]
  redis.call('ZADD', replies, seq, id)
  redis.call('ZREMRANGEBYRANK', replies, 0, -10001)
  redis.call('HSET', 'wl:m:' .. id, 'r', ARGV[13])
end
local found = {}
for i = 14, #ARGV do
  found[#found + 1] = 0
  found[#found + 1] = ARGV[i] .. id
  if #found >= 2000 or i == #ARGV then
    redis.call('ZADD', 'wl:find', unpack(found))
    found = {}
  end
end
return { 1, seq, before and 1 or 0 }`,
  ),

  /**
   * orthanc, expected seq, expected identity ('' for none), next seq, next identity, caught up at ('' if not), number of
   * those made good, those, number of those passed by, those, entries...
   */
  acceptEvents: script(
    'acceptEvents',
    `${nextSeq}
local feed = 'wl:feed:' .. ARGV[1]
local at = redis.call('HMGET', feed, 'seq', 'identity')
if (at[1] or '') ~= ARGV[2] or (at[2] or '') ~= ARGV[3] then return 0 end
redis.call('HSET', feed, 'seq', ARGV[4], 'identity', ARGV[5])
if ARGV[6] ~= '' then redis.call('HSET', feed, 'caughtUpAt', ARGV[6]) end
local passed, i = 'wl:passed:' .. ARGV[1], 7
for _, command in ipairs({ 'SREM', 'SADD' }) do
  local last = i + tonumber(ARGV[i])
  for j = i + 1, last do redis.call(command, passed, ARGV[j]) end
  i = last + 1
end
for j = i, #ARGV do
  local _, seq = next_seq()
  redis.call('XADD', 'wl:inbox', seq .. '-0', 'e', ARGV[j])
end
return 1`,
  ),

  /**
   * orthanc, spool, rows per entry, entry of rows without its end, then (number, row, entry of what the row means or '')...
   * Leaves out the numbers that were taken of this spool before. Answers how many were new.
   */
  acceptChanges: script(
    'acceptChanges',
    `${nextSeq}
local spools, spool, perEntry = 'wl:spools:' .. ARGV[1], ARGV[2], tonumber(ARGV[3])
local taken = tonumber(redis.call('HGET', spools, spool) or '-1')
local first = 5
while first <= #ARGV and tonumber(ARGV[first]) <= taken do first = first + 3 end
if first > #ARGV then return 0 end
redis.call('HSET', spools, spool, ARGV[#ARGV - 2])
local function put(entry)
  local _, seq = next_seq()
  redis.call('XADD', 'wl:inbox', seq .. '-0', 'e', entry)
end
for i = first, #ARGV, 3 do
  if ARGV[i + 2] ~= '' then put(ARGV[i + 2]) end
end
local rows, count = {}, 0
for i = first, #ARGV, 3 do
  rows[#rows + 1] = ARGV[i + 1]
  count = count + 1
  if #rows == perEntry or i + 3 > #ARGV then
    put(ARGV[4] .. ',"rows":[' .. table.concat(rows, ',') .. ']}')
    rows = {}
  end
end
return count`,
  ),

  /** entry */
  acceptManual: script(
    'acceptManual',
    `${nextSeq}
local _, seq = next_seq()
redis.call('XADD', 'wl:inbox', seq .. '-0', 'e', ARGV[1])
return seq`,
  ),

  /** now, quiet up to (both milliseconds), at, limit. Answers how many. */
  acceptDeadlines: script(
    'acceptDeadlines',
    `${nextSeq}
local count = 0
for key, upTo in pairs({ ['wl:deadlines'] = ARGV[1], ['wl:deadlines:quiet'] = ARGV[2] }) do
  local due = redis.call('ZRANGEBYSCORE', key, '-inf', upTo, 'WITHSCORES', 'LIMIT', 0, ARGV[4])
  for i = 1, #due, 2 do
    local _, seq = next_seq()
    redis.call('XADD', 'wl:inbox', seq .. '-0', 'd', due[i], 'due', due[i + 1], 'at', ARGV[3])
    redis.call('ZREM', key, due[i])
    count = count + 1
  end
end
return count`,
  ),

  /**
   * role, milliseconds, take over ('1'). Answers the token or nothing. A lease that would last longer than any that is
   * given is of before Redis's clock was set back, and is free: who lives has renewed it since. In a store that was
   * emptied nobody has a role, and nothing is written.
   */
  lease: script(
    'lease',
    `
if redis.call('EXISTS', 'wl:identity', 'wl:format') == 0 then return false end
local left = redis.call('PTTL', 'wl:lease:' .. ARGV[1])
if ARGV[3] ~= '1' and left ~= -2 and left <= ARGV[2] + 10000 then return false end
local token = redis.call('INCR', 'wl:fence:' .. ARGV[1])
redis.call('SET', 'wl:lease:' .. ARGV[1], token, 'PX', ARGV[2])
return token`,
  ),

  /** role, token, milliseconds. Who was late but not replaced goes on. */
  renew: script(
    'renew',
    `
if redis.call('GET', 'wl:fence:' .. ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('SET', 'wl:lease:' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
return 1`,
  ),

  /** role, token */
  release: script(
    'release',
    `
if redis.call('GET', 'wl:lease:' .. ARGV[1]) == ARGV[2] then redis.call('DEL', 'wl:lease:' .. ARGV[1]) end
return 1`,
  ),

  /**
   * role, token, after, up to, first kept inbox id, generation, items changed ('1'), number of targets, targets...,
   * number of witnesses (-1: not told), witnesses..., then (length, command, arguments)...
   * Answers 1 committed (less than 0: but for so many commands that were refused), 0 fenced, 2 stale, 3 tell me the witnesses: retention has removed something since the world
   * was read, which only matters if it was one of the keys that were read.
   */
  commit: script(
    'commit',
    `${setState}${keepLine}
if redis.call('GET', 'wl:fence:' .. ARGV[1]) ~= ARGV[2] then return 0 end
if (redis.call('GET', 'wl:applied') or '0') ~= ARGV[3] then return 2 end
local targets = tonumber(ARGV[8])
local i = 10 + targets
local witnesses = tonumber(ARGV[9 + targets])
if witnesses >= 0 then
  for w = i, i + witnesses - 1 do
    if redis.call('EXISTS', ARGV[w]) == 0 then return 2 end
  end
  i = i + witnesses
elseif (redis.call('GET', 'wl:generation') or '0') ~= ARGV[6] then
  return 3
end
redis.call('SET', 'wl:applied', ARGV[4])

local function item(id, version, served, json)
  if redis.call('ZSCORE', 'wl:versions', id) == version then return end
  redis.call('ZADD', 'wl:versions', version, id)
  redis.call('HSET', 'wl:items', id, json)
  local was = 0
  if served == '1' then redis.call('SADD', 'wl:served', id) else was = redis.call('SREM', 'wl:served', id) end
  if served == '1' or was == 1 then
    for t = 9, 8 + targets do redis.call('ZADD', 'wl:dirty:' .. ARGV[t], version, id) end
  end
end

local function write(at, length, command)
  if command == 'ITEM' then
    item(ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
  elseif command == 'STATE' then
    set_state(ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  elseif command == 'LINE' then
    keep_line(ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  else
    redis.call(unpack(ARGV, at + 1, at + length))
  end
end

-- A key that something else has damaged costs what was to be written to it, not all that is behind it in the batch.
local refused = 0
while i <= #ARGV do
  local length = tonumber(ARGV[i])
  if not pcall(write, i, length, ARGV[i + 1]) then refused = refused + 1 end
  i = i + 1 + length
end
redis.call('XTRIM', 'wl:inbox', 'MINID', ARGV[5])
if ARGV[7] == '1' then redis.call('PUBLISH', 'wl:changed', ARGV[4]) end
if refused > 0 then return -refused end
return 1`,
  ),

  /** version, limit. Bodies of the items after it, oldest first; those of the last version are complete. Of a store that was emptied just now nobody learns that there are none (I10). */
  itemsSince: script(
    'itemsSince',
    `
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
local ids = redis.call('ZRANGEBYSCORE', 'wl:versions', '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
if #ids == 0 then return {} end
local last = redis.call('ZSCORE', 'wl:versions', ids[#ids])
local known = {}
for _, id in ipairs(ids) do known[id] = true end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'wl:versions', last, last)) do
  if not known[id] then ids[#ids + 1] = id end
end
local bodies = {}
for i = 1, #ids do bodies[i] = redis.call('HGET', 'wl:items', ids[i]) end
return bodies`,
  ),

  /** target, id, version */
  clean: script(
    'clean',
    `
local version = redis.call('ZSCORE', 'wl:dirty:' .. ARGV[1], ARGV[2])
if version and tonumber(version) <= tonumber(ARGV[3]) then redis.call('ZREM', 'wl:dirty:' .. ARGV[1], ARGV[2]) end
return 1`,
  ),

  /**
   * role, token, endpoint, id, delivered|retry|refused|unanswered, at, code or reason, not before or reason, rest of the
   * history line ('' for none). What is delivered is kept without its bytes as long as its order, if it is of one.
   * Answers 0 fenced, 1 settled, 2 settled and the endpoint is paused.
   */
  settle: script(
    'settle',
    `${owesNoMore}${keepLine}
if redis.call('GET', 'wl:fence:' .. ARGV[1]) ~= ARGV[2] then return 0 end
local endpoint, id, kind = ARGV[3], ARGV[4], ARGV[5]
local done = 1 + redis.call('HEXISTS', 'wl:paused', endpoint)
local outbox, key = 'wl:out:' .. endpoint, 'wl:send:' .. endpoint .. '\\n' .. id
local score = redis.call('ZSCORE', outbox, id)
if not score then return done end
if kind == 'unanswered' then
  redis.call('HINCRBY', key, 'unanswered', 1)
  redis.call('HSET', key, 'reason', ARGV[7])
  return done
end
redis.call('HINCRBY', key, 'attempts', 1)
if kind == 'retry' then
  redis.call('HSET', key, 'notBefore', ARGV[8], 'reason', ARGV[7])
  return done
end
local known = redis.call('HMGET', key, 'lane', 'cause', 'controlId', 'untold')
local lane = known[1]
local ordered = redis.call('EXISTS', 'wl:o:' .. lane) == 1
redis.call('HINCRBY', 'wl:sent', kind .. '\\n' .. endpoint, 1)
redis.call('ZREM', outbox, id)
owes_no_more(lane)
if ARGV[9] ~= '' and ordered then
  local line = '{"cause":' .. (known[2] or '0') .. ',"controlId":' .. cjson.encode(known[3] or '') .. ',' .. ARGV[9]
  keep_line('h', lane, line)
end
if kind == 'delivered' and (not ordered or known[4]) then
  redis.call('DEL', key)
  return done
end
redis.call('HSET', key, 'state', kind, 'settledAt', ARGV[6], 'acknowledgmentCode', ARGV[7], 'reason', ARGV[8])
if kind == 'delivered' then
  redis.call('HDEL', key, 'bytes', 'notBefore')
else
  redis.call('ZADD', 'wl:dead:' .. endpoint, score, id)
end
return done`,
  ),

  /** endpoint, '1' to pause, the pause, the change as a line. Answers 0 when it was so already. */
  pause: script(
    'pause',
    `
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
local already = redis.call('HEXISTS', 'wl:paused', ARGV[1])
if already == tonumber(ARGV[2]) then return 0 end
if ARGV[2] == '1' then redis.call('HSET', 'wl:paused', ARGV[1], ARGV[3]) end
local key = 'wl:pauses:' .. ARGV[1]
redis.call('RPUSH', key, ARGV[4])
redis.call('LTRIM', key, -1000, -1)
if ARGV[2] == '0' then redis.call('HDEL', 'wl:paused', ARGV[1]) end
return 1`,
  ),

  /** endpoint, id. Forgets a refused message; one of a kept order stays for its story, without bytes. */
  forgetRefused: script(
    'forgetRefused',
    `
local key = 'wl:send:' .. ARGV[1] .. '\\n' .. ARGV[2]
local lane = redis.call('HGET', key, 'lane')
if lane and redis.call('EXISTS', 'wl:o:' .. lane) == 1 and redis.call('HEXISTS', key, 'untold') == 0 then
  redis.call('HDEL', key, 'bytes')
else
  redis.call('DEL', key)
end
if redis.call('ZREM', 'wl:dead:' .. ARGV[1], ARGV[2]) == 1 then
  redis.call('HINCRBY', 'wl:sent', 'discarded\\n' .. ARGV[1], 1)
end
return 1`,
  ),

  /** (id, number of search keys, search keys...)... Removes messages that do not wait and of which no acknowledgment is owed; the duplicate check keeps their acknowledgment. Answers how many. */
  removeMessages: script(
    'removeMessages',
    `
local removed, i = 0, 1
while i <= #ARGV do
  local id, found = ARGV[i], tonumber(ARGV[i + 1])
  local key = 'wl:m:' .. id
  local was = redis.call('HMGET', key, 'k', 'o', 'a', 'i', 'r')
  local owed = was[5] and redis.call('ZSCORE', 'wl:replies:' .. was[2] .. '\\n' .. was[5], id)
  if was[1] and was[1] ~= 'waiting' and not owed then
    redis.call('DEL', key, 'wl:acts:' .. id)
    redis.call('ZREM', 'wl:messages', id)
    redis.call('ZREM', 'wl:messages:' .. was[1], id)
    redis.call('HINCRBY', 'wl:removed', was[1] .. '\\n' .. was[2], 1)
    for f = i + 2, i + 1 + found do redis.call('ZREM', 'wl:find', ARGV[f] .. id) end
    local information = cjson.decode(was[4])
    if information.planId ~= '' then
      if redis.call('HINCRBY', 'wl:planrefs', information.planId, -1) <= 0 then
        redis.call('HDEL', 'wl:planrefs', information.planId)
      end
    end
    local again = was[2] .. '\\n' .. information.controlId
    local known = redis.call('HGET', 'wl:again', again)
    if known and string.sub(known, 1, #id + 1) == id .. ' ' then redis.call('HSET', 'wl:again', again, known .. was[3]) end
    removed = removed + 1
  end
  i = i + 2 + found
end
return removed`,
  ),

  /** patient key, set of its orders. Forgets a merge of which no order is kept. */
  removeMerge: script(
    'removeMerge',
    `
if redis.call('EXISTS', ARGV[2]) == 1 then return 0 end
redis.call('DEL', 'wl:p:' .. ARGV[1])
redis.call('ZREM', 'wl:merges', ARGV[1])
redis.call('INCR', 'wl:generation')
return 1`,
  ),

  /** before (milliseconds), how many are kept, how many at most now. Forgets the oldest of the duplicate window; answers how many. */
  forgetAgain: script(
    'forgetAgain',
    `${forgetOldest}
local removed, excess = 0, redis.call('LLEN', 'wl:agains') - tonumber(ARGV[2])
while removed < tonumber(ARGV[3]) do
  local oldest = redis.call('LINDEX', 'wl:agains', 0)
  if not oldest then break end
  if removed >= excess and tonumber(string.match(oldest, ' (%d+) ')) >= tonumber(ARGV[1]) then break end
  forget_oldest()
  removed = removed + 1
end
return removed`,
  ),

  /** id, version, patient key, number of items, items..., number of targets, targets..., index keys... Removes an order nobody serves, owes or has changed; answers 2 of one that is served. */
  removeOrder: script(
    'removeOrder',
    `
local id, version, patient, items = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', 'wl:o:' .. id, 'v') ~= version then return 0 end
if redis.call('HEXISTS', 'wl:owing', id) == 1 then return 0 end
local first = 6 + items
local targets = tonumber(ARGV[5 + items])
for i = 5, 4 + items do
  if redis.call('SISMEMBER', 'wl:served', ARGV[i]) == 1 then return 2 end
  for t = first, first + targets - 1 do
    if redis.call('ZSCORE', 'wl:dirty:' .. ARGV[t], ARGV[i]) then return 0 end
  end
end
for _, sent in ipairs(redis.call('LRANGE', 'wl:told:' .. id, 0, -1)) do
  local endpoint, number = string.match(sent, '^(.*)\\n(.*)$')
  -- A dead letter is kept as long as messages are.
  if not redis.call('ZSCORE', 'wl:dead:' .. endpoint, number) then redis.call('DEL', 'wl:send:' .. sent) end
end
redis.call('DEL', 'wl:o:' .. id, 'wl:h:' .. id, 'wl:told:' .. id)
redis.call('HDEL', 'wl:leftout', 'h:' .. id, 'told:' .. id)
redis.call('ZREM', 'wl:orders', id)
for i = 5, 4 + items do
  redis.call('HDEL', 'wl:items', ARGV[i])
  redis.call('ZREM', 'wl:versions', ARGV[i])
end
local last
for i = first + targets, #ARGV do
  redis.call('SREM', ARGV[i], id)
  last = ARGV[i]
end
if last and redis.call('EXISTS', last) == 0 then
  -- A merge is for ever: orders and images of the old Patient ID may come at any time.
  local record = redis.call('GET', 'wl:p:' .. patient)
  local known = record and cjson.decode(record)
  if known and not known.aliases and not known.mergedInto then redis.call('DEL', 'wl:p:' .. patient) end
end
redis.call('INCR', 'wl:generation')
return 1`,
  ),

  /** key, last image (score), orthanc, Orthanc's id, index keys... Removes a study that no kept order was credited with. */
  removeStudy: script(
    'removeStudy',
    `
if redis.call('ZSCORE', 'wl:studies', ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('DEL', 'wl:s:' .. ARGV[1])
redis.call('ZREM', 'wl:studies', ARGV[1])
redis.call('ZREM', 'wl:unstable:' .. ARGV[3], ARGV[4])
for i = 5, #ARGV do redis.call('SREM', ARGV[i], ARGV[1]) end
redis.call('INCR', 'wl:generation')
return 1`,
  ),

  /** 'o' or 's', id, body as it was read, sets... Enters an order or a study in its sets, unless it has changed since: then whoever changed it has done so. */
  enter: script(
    'enter',
    `
local key = 'wl:' .. ARGV[1] .. ':' .. ARGV[2]
local body
if ARGV[1] == 'o' then body = redis.call('HGET', key, 'o') else body = redis.call('GET', key) end
if body ~= ARGV[3] then return 0 end
for i = 4, #ARGV do redis.call('SADD', ARGV[i], ARGV[2]) end
return 1`,
  ),

  /** id, touched before (milliseconds). Removes a plan that no message refers to and no engine uses. */
  removePlan: script(
    'removePlan',
    `
if redis.call('HEXISTS', 'wl:planrefs', ARGV[1]) == 1 then return 0 end
local touched = redis.call('ZSCORE', 'wl:plans', ARGV[1])
if touched and tonumber(touched) >= tonumber(ARGV[2]) then return 0 end
redis.call('DEL', 'wl:plan:' .. ARGV[1])
redis.call('ZREM', 'wl:plans', ARGV[1])
return 1`,
  ),
} satisfies Record<string, Script>
