import { keepLine, nextSeq, script, setState } from './scripts.ts'

/** What people do to kept messages. As in `scripts.ts`: each decides first, and then runs only commands that cannot fail. */
export const replayScripts = {
  /**
   * id, state kind and number of acts as they were read, new state kind, new state, information, act, inbox entry ('' for
   * none), plan, number of search keys to remove, those, search keys to add... Answers the number given, or 0 when the
   * message has changed. It was received once: its old state's counter goes down, its new one's goes up.
   */
  replay: script(
    'replay',
    `${nextSeq}${setState}
local id = ARGV[1]
local key, acts = 'wl:m:' .. id, 'wl:acts:' .. id
local known = redis.call('HMGET', key, 'k', 'i')
if known[1] ~= ARGV[2] or redis.call('LLEN', acts) ~= tonumber(ARGV[3]) then return 0 end
local before = cjson.decode(known[2]).planId
local _, seq = next_seq()
redis.call('RPUSH', acts, string.sub(ARGV[7], 1, -2) .. ',"seq":' .. seq .. '}')
redis.call('HSET', key, 'i', ARGV[6])
set_state(id, ARGV[4], ARGV[5])
if ARGV[8] ~= '' then redis.call('XADD', 'wl:inbox', seq .. '-0', 'e', ARGV[8]) end
if before ~= ARGV[9] then
  if ARGV[9] ~= '' then redis.call('HINCRBY', 'wl:planrefs', ARGV[9], 1) end
  if before ~= '' and redis.call('HINCRBY', 'wl:planrefs', before, -1) <= 0 then
    redis.call('HDEL', 'wl:planrefs', before)
  end
end
local first = 11 + tonumber(ARGV[10])
for i = 11, first - 1 do redis.call('ZREM', 'wl:find', ARGV[i] .. id) end
for i = first, #ARGV do redis.call('ZADD', 'wl:find', 0, ARGV[i] .. id) end
return seq`,
  ),

  /**
   * id of the original, its state kind and number of acts as they were read, its new state ('' to leave it), the act that
   * it gets, then of the edited message: its act, state kind, state, body, information, inbox entry, plan, source, search
   * keys... Answers the number given, or 0 when the original has changed. It counts as received.
   */
  edit: script(
    'edit',
    `${nextSeq}${setState}
local original = ARGV[1]
local acts = 'wl:acts:' .. original
if redis.call('HGET', 'wl:m:' .. original, 'k') ~= ARGV[2] or redis.call('LLEN', acts) ~= tonumber(ARGV[3]) then return 0 end
local _, seq = next_seq()
local id, kind, source = 'M' .. seq, ARGV[7], ARGV[13]
redis.call('HSET', 'wl:m:' .. id, 'b', ARGV[9], 'a', '', 'i', ARGV[10], 's', ARGV[8], 'k', kind, 'o', source)
redis.call('RPUSH', 'wl:acts:' .. id, string.sub(ARGV[6], 1, -2) .. ',"seq":' .. seq .. '}')
redis.call('RPUSH', acts, string.sub(ARGV[5], 1, -2) .. ',"as":"' .. id .. '","seq":' .. seq .. '}')
if ARGV[4] ~= '' then set_state(original, 'ignored', ARGV[4]) end
redis.call('ZADD', 'wl:messages', seq, id)
redis.call('ZADD', 'wl:messages:' .. kind, seq, id)
redis.call('HINCRBY', 'wl:counts', 'received\\n' .. source, 1)
redis.call('HINCRBY', 'wl:counts', kind .. '\\n' .. source, 1)
if ARGV[11] ~= '' then
  local entry = string.sub(ARGV[11], 1, -2) .. ',"messageId":"' .. id .. '"}'
  redis.call('XADD', 'wl:inbox', seq .. '-0', 'e', entry)
  redis.call('ZADD', 'wl:waiting:' .. source, redis.call('TIME')[1], id)
end
if ARGV[12] ~= '' then redis.call('HINCRBY', 'wl:planrefs', ARGV[12], 1) end
for i = 14, #ARGV do redis.call('ZADD', 'wl:find', 0, ARGV[i] .. id) end
return seq`,
  ),

  /** endpoint, id, '1' to force, act, rest of the history line. Answers 1 owed, 0 gone, 2 stale: something later of the order was delivered. */
  sendAgain: script(
    'sendAgain',
    `${keepLine}
local endpoint, id = ARGV[1], ARGV[2]
local key, dead = 'wl:send:' .. endpoint .. '\\n' .. id, 'wl:dead:' .. endpoint
local score = redis.call('ZSCORE', dead, id)
if not score then return 0 end
local known = redis.call('HMGET', key, 'lane', 'cause', 'controlId', 'bytes', 'acts')
if not known[4] then return 0 end
local lane = known[1]
if ARGV[3] ~= '1' then
  local later, prefix = false, endpoint .. '\\n'
  for _, sent in ipairs(redis.call('LRANGE', 'wl:told:' .. lane, 0, -1)) do
    if sent == prefix .. id then
      later = true
    elseif later and string.sub(sent, 1, #prefix) == prefix
      and redis.call('HGET', 'wl:send:' .. sent, 'state') == 'delivered' then
      return 2
    end
  end
end
redis.call('ZADD', 'wl:out:' .. endpoint, score, id)
redis.call('ZREM', dead, id)
redis.call('HINCRBY', 'wl:owing', lane, 1)
redis.call('HINCRBY', 'wl:sent', 'refused\\n' .. endpoint, -1)
redis.call('HDEL', key, 'state', 'settledAt', 'acknowledgmentCode', 'notBefore')
redis.call('HSET', key, 'acts', (known[5] and known[5] .. '\\n' or '') .. ARGV[4])
if redis.call('EXISTS', 'wl:o:' .. lane) == 1 then
  local line = '{"cause":' .. (known[2] or '0') .. ',"controlId":' .. cjson.encode(known[3] or '') .. ',' .. ARGV[5]
  keep_line('h', lane, line)
end
return 1`,
  ),

  /** endpoint, id, at, reason, rest of the history line, milliseconds. What is of no kept order is forgotten after so long. Answers 1 discarded, 0 gone. */
  discardRefused: script(
    'discardRefused',
    `${keepLine}
local endpoint, id = ARGV[1], ARGV[2]
local key, dead = 'wl:send:' .. endpoint .. '\\n' .. id, 'wl:dead:' .. endpoint
if not redis.call('ZSCORE', dead, id) then return 0 end
local known = redis.call('HMGET', key, 'lane', 'cause', 'controlId', 'untold')
local lane = known[1] or ''
local ordered = redis.call('EXISTS', 'wl:o:' .. lane) == 1
redis.call('HSET', key, 'state', 'discarded', 'settledAt', ARGV[3])
redis.call('HDEL', key, 'bytes', 'notBefore')
redis.call('ZREM', dead, id)
redis.call('HINCRBY', 'wl:sent', 'refused\\n' .. endpoint, -1)
redis.call('HINCRBY', 'wl:sent', 'discarded\\n' .. endpoint, 1)
if ordered then
  local line = '{"cause":' .. (known[2] or '0') .. ',"controlId":' .. cjson.encode(known[3] or '') .. ',' .. ARGV[5]
  keep_line('h', lane, line)
end
if not ordered or known[4] then redis.call('PEXPIRE', key, ARGV[6]) end
return 1`,
  ),
} as const
