/**
 * What Redis does in one step each. Every script gets the five keys of each of its rooms, in the order of
 * `keysOf`, and an epoch for a room that has none.
 *
 * A message's entry in the stream has the id `<seq>-<at>`: it is found by its number, and its age is known
 * without its content.
 */

import { CHANGES_KEPT } from './store.ts'

/** A room that nobody has touched for so long is forgotten, and counts anew under another epoch. */
const ROOM_KEEP_MS = 86_400_000

/** `rooms:room` { epoch, run, seq, version }, then streams and tables that live under that epoch. */
export function keysOf(room: string): string[] {
  return ['room', 'messages', 'shown', 'due', 'changes'].map((kind) => `rooms:${kind}:${room}`)
}

const PRELUDE = `
local KEEP = ${ROOM_KEEP_MS}

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What a restarted Redis read from its disk may lack sends that were acknowledged. The numbering of an
-- earlier run therefore counts as lost.
local function this_run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

local function marks(room, run)
  local kept = redis.call('HMGET', KEYS[room], 'epoch', 'run', 'seq', 'version')
  if not kept[1] or kept[2] ~= run then return nil end
  redis.call('PEXPIRE', KEYS[room], KEEP)
  return { epoch = kept[1], seq = tonumber(kept[3]), version = tonumber(kept[4]) }
end

local function open(room, fresh)
  local run = this_run()
  local found = marks(room, run)
  if found then return found end
  redis.call('DEL', KEYS[room], KEYS[room + 1], KEYS[room + 2], KEYS[room + 3], KEYS[room + 4])
  redis.call('HSET', KEYS[room], 'epoch', fresh, 'run', run, 'seq', 0, 'version', 0)
  redis.call('PEXPIRE', KEYS[room], KEEP)
  return { epoch = fresh, seq = 0, version = 0 }
end
`

/**
 * Presence. `shown` holds { user, client, data, leases } by client and user; `due` says when the last lease
 * of each ends. A change is one entry of a stream, whose id is its version.
 */
const PRESENCE = `
local function change(room, entries, channel, name)
  if #entries == 0 then return end
  local version = redis.call('HINCRBY', KEYS[room], 'version', 1)
  redis.call('XADD', KEYS[room + 4], 'MAXLEN', '~', ${CHANGES_KEPT}, version .. '-0', unpack(entries))
  redis.call('PEXPIRE', KEYS[room + 4], KEEP)
  redis.call('PUBLISH', channel, name)
end

local function keep(room, field, entry)
  local last = 0
  for _, ends in pairs(entry.leases) do last = math.max(last, ends) end
  redis.call('HSET', KEYS[room + 2], field, cjson.encode(entry))
  redis.call('ZADD', KEYS[room + 3], last, field)
  redis.call('PEXPIRE', KEYS[room + 2], KEEP)
  redis.call('PEXPIRE', KEYS[room + 3], KEEP)
end

local function take_off(room, field, entry, entries)
  redis.call('HDEL', KEYS[room + 2], field)
  redis.call('ZREM', KEYS[room + 3], field)
  -- Nothing where one of the two keys was evicted.
  if not entry.user then return end
  entries[#entries + 1] = 'leave'
  entries[#entries + 1] = cjson.encode({ user = entry.user, clientId = entry.clientId })
end

local function end_leases(room, channel, name)
  local entries = {}
  -- No more than fit on the stack of unpack; the rest at the next look.
  local due = redis.call('ZRANGE', KEYS[room + 3], '-inf', now(), 'BYSCORE', 'LIMIT', 0, 1000)
  for _, field in ipairs(due) do
    take_off(room, field, cjson.decode(redis.call('HGET', KEYS[room + 2], field) or '{}'), entries)
  end
  change(room, entries, channel, name)
  return #due > 0
end
`

/** ARGV: connection. KEYS: the fence. */
export const RAISE_FENCE = `
local fence = redis.call('GET', KEYS[1])
if not fence or tonumber(fence) < tonumber(ARGV[1]) then fence = ARGV[1] end
redis.call('SET', KEYS[1], fence, 'PX', ${ROOM_KEEP_MS})
`

/** ARGV: fresh, epoch, connection or '', user, clientId, n, data, keepMs, channel, room. KEYS: room, id, fence. */
export const APPEND = `${PRELUDE}
local room = open(1, ARGV[1])
if ARGV[3] ~= '' then
  local fence = redis.call('GET', KEYS[7])
  if fence and tonumber(fence) > tonumber(ARGV[3]) then return { 'superseded', 0 } end
end
if room.epoch ~= ARGV[2] then return { 'stale-epoch', 0 } end
local known = redis.call('GET', KEYS[6])
if known then return { 'repeated', tonumber(known) } end
local at = now()
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('SET', KEYS[6], seq, 'PX', ARGV[8])
redis.call('XADD', KEYS[2], seq .. '-' .. at,
  'from', ARGV[4], 'clientId', ARGV[5], 'n', ARGV[6], 'data', ARGV[7])
-- Two old ones go for each that comes, so no send pays for all of them.
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 2)) do
  local old, written = string.match(entry[1], '(%d+)-(%d+)')
  if tonumber(written) < at - tonumber(ARGV[8]) then
    redis.call('XTRIM', KEYS[2], 'MINID', (tonumber(old) + 1) .. '-0')
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[8])
redis.call('PUBLISH', ARGV[9], ARGV[10])
return { 'stored', seq }
`

/** ARGV: fresh, epoch or '', seq, maxAgeMs or '', version or '', limit. */
export const READ = `${PRELUDE}
local room = open(1, ARGV[1])
local messages, changes = {}, {}
if ARGV[2] == room.epoch and tonumber(ARGV[3]) < room.seq then
  local start = (tonumber(ARGV[3]) + 1) .. '-0'
  messages = redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', ARGV[6])
  if ARGV[4] ~= '' then
    local oldest = now() - tonumber(ARGV[4])
    while messages[1] and tonumber(string.match(messages[1][1], '-(%d+)')) < oldest do
      table.remove(messages, 1)
    end
  end
end
if ARGV[5] ~= '' and tonumber(ARGV[5]) < room.version then
  local start = (tonumber(ARGV[5]) + 1) .. '-0'
  changes = redis.call('XRANGE', KEYS[5], start, '+', 'COUNT', ARGV[6])
end
return { room.epoch, room.seq, room.version, messages, changes }
`

/** ARGV: fresh, before or '', limit. Newest first, one more than asked for where there is one. */
export const HISTORY = `${PRELUDE}
local room = open(1, ARGV[1])
local last = ARGV[2] == '' and '+' or ARGV[2] .. '-0'
return { room.epoch, redis.call('XREVRANGE', KEYS[2], last, '-', 'COUNT', tonumber(ARGV[3]) + 1) }
`

/**
 * ARGV: fresh, leaseMs, channel, room, 'show' or 'renew' or 'part', then user, clientId, session, data of each
 * client. Only 'show' changes the data of a client that is shown; 'part' is a renewal that wants no members.
 */
export const SHOW = `${PRELUDE}${PRESENCE}
open(1, ARGV[1])
end_leases(1, ARGV[3], ARGV[4])
local ends = now() + tonumber(ARGV[2])
local entries = {}
for i = 6, #ARGV, 4 do
  local field = ARGV[i + 1] .. ARGV[i]
  local kept = redis.call('HGET', KEYS[3], field)
  local entry = kept and cjson.decode(kept) or { user = ARGV[i], clientId = ARGV[i + 1], leases = {} }
  if not entry.data or (ARGV[5] == 'show' and entry.data ~= ARGV[i + 3]) then
    entry.data = ARGV[i + 3]
    entries[#entries + 1] = 'join'
    entries[#entries + 1] = cjson.encode({ user = entry.user, clientId = entry.clientId, data = entry.data })
  end
  for session, given in pairs(entry.leases) do
    if given <= ends - tonumber(ARGV[2]) then entry.leases[session] = nil end
  end
  entry.leases[ARGV[i + 2]] = ends
  keep(1, field, entry)
end
change(1, entries, ARGV[3], ARGV[4])
local room = open(1, ARGV[1])
return { room.epoch, room.version, ARGV[5] == 'part' and {} or redis.call('HVALS', KEYS[3]) }
`

/** ARGV: fresh, channel, room, then user, clientId, session of each lease. */
export const HIDE = `${PRELUDE}${PRESENCE}
open(1, ARGV[1])
local entries = {}
local time = now()
for i = 4, #ARGV, 3 do
  local field = ARGV[i + 1] .. ARGV[i]
  local kept = redis.call('HGET', KEYS[3], field)
  if kept then
    local entry = cjson.decode(kept)
    entry.leases[ARGV[i + 2]] = nil
    for session, ends in pairs(entry.leases) do
      if ends <= time then entry.leases[session] = nil end
    end
    if next(entry.leases) then keep(1, field, entry) else take_off(1, field, entry, entries) end
  end
end
change(1, entries, ARGV[2], ARGV[3])
`

/** ARGV: channel, then the rooms' names. Creates none: an epoch of '' says that there is no numbering. */
export const LOOK = `${PRELUDE}${PRESENCE}
local run = this_run()
local found = {}
for i = 2, #ARGV do
  local first = (i - 2) * 5 + 1
  local room = marks(first, run)
  if room and end_leases(first, ARGV[1], ARGV[i]) then room = marks(first, run) end
  room = room or { epoch = '', seq = 0, version = 0 }
  found[#found + 1] = { room.epoch, room.seq, room.version }
end
return found
`

/** At one stroke: a room that is halfway gone could come back without the ids of its messages. */
export const FORGET = `
for _, key in ipairs(redis.call('KEYS', 'rooms:*')) do redis.call('UNLINK', key) end
`
