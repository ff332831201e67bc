-- Words that all inbox scripts share; put in front of each of them.
-- KEYS[1] is the prefix of all keys; its hash tag keeps them in one slot.
--   lane:<lane>  sorted set  waiting records by due time (ms)
--   waiting      hash        waiting record -> "lane origin"
--   work         sorted set  leased records by deadline (ms)
--   owner        hash        leased record -> "batch lane origin"
--   again        hash        leased record that was offered meanwhile -> "lane due first origin"
--   deaths       hash        record -> batches that died with it
--   poisonous    set         records that died three times and do not stand on the desk yet
--   first        sorted set  records by when they were first offered (ms)
--   batch:<id>   set         the batch's records; "!record" is one it lost
-- A record is in waiting or in work, never in both.
local prefix = KEYS[1]
local URGENCY = {consent = 1, live = 2, bulk = 3}
local WAITING, WORK, OWNER = prefix .. 'waiting', prefix .. 'work', prefix .. 'owner'
local AGAIN, DEATHS, FIRST = prefix .. 'again', prefix .. 'deaths', prefix .. 'first'
local POISONOUS = prefix .. 'poisonous'

local function lane_key(lane) return prefix .. 'lane:' .. lane end

local function batch_key(id) return prefix .. 'batch:' .. id end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function whole(number) return string.format('%.0f', number) end

-- More urgent lane, earlier due time, first origin.
local function merge(old, lane, due, origin)
  if URGENCY[old.lane] < URGENCY[lane] then lane = old.lane end
  if old.origin ~= '' then origin = old.origin end
  return lane, math.min(old.due, due), origin
end

-- Let a record that is not in work wait; since: when it was first offered.
local function wait(ref, lane, due, origin, since)
  local entry = redis.call('HGET', WAITING, ref)
  if entry then
    local old_lane, old_origin = string.match(entry, '^(%S+) (.*)$')
    local old = {lane = old_lane, origin = old_origin, due = tonumber(redis.call('ZSCORE', lane_key(old_lane), ref))}
    lane, due, origin = merge(old, lane, due, origin)
    if lane ~= old_lane then redis.call('ZREM', lane_key(old_lane), ref) end
  end
  redis.call('HSET', WAITING, ref, lane .. ' ' .. origin)
  redis.call('ZADD', lane_key(lane), whole(due), ref)
  redis.call('ZADD', FIRST, 'LT', whole(since), ref)
end

-- Keep aside what is offered about a record in work.
local function set_aside(ref, lane, due, origin, since)
  local entry = redis.call('HGET', AGAIN, ref)
  if entry then
    local old_lane, old_due, old_since, old_origin = string.match(entry, '^(%S+) (%S+) (%S+) (.*)$')
    lane, due, origin = merge({lane = old_lane, due = tonumber(old_due), origin = old_origin}, lane, due, origin)
    since = math.min(since, tonumber(old_since))
  end
  redis.call('HSET', AGAIN, ref, lane .. ' ' .. whole(due) .. ' ' .. whole(since) .. ' ' .. origin)
end

-- Let what was kept aside wait, once the record is out of work.
local function bring_back(ref)
  local entry = redis.call('HGET', AGAIN, ref)
  if not entry then return end
  local lane, due, since, origin = string.match(entry, '^(%S+) (%S+) (%S+) (.*)$')
  redis.call('HDEL', AGAIN, ref)
  wait(ref, lane, tonumber(due), origin, tonumber(since))
end

local function lease(ref, batch, lane, origin, deadline)
  redis.call('ZADD', WORK, whole(deadline), ref)
  redis.call('HSET', OWNER, ref, batch .. ' ' .. lane .. ' ' .. origin)
  redis.call('SADD', batch_key(batch), ref)
end

-- Take a record out of work; gives batch, lane and origin.
local function end_lease(ref)
  local owner = redis.call('HGET', OWNER, ref)
  redis.call('ZREM', WORK, ref)
  redis.call('HDEL', OWNER, ref)
  return string.match(owner, '^(%S+) (%S+) (.*)$')
end

-- The batch's records, split into held and lost; refs are those it was taken with.
local function holding(batch, refs)
  local held, lost, any_lost = {}, {}, false
  for _, member in ipairs(redis.call('SMEMBERS', batch_key(batch))) do
    if string.sub(member, 1, 1) == '!' then
      lost[string.sub(member, 2)] = true
      any_lost = true
    else
      held[member] = true
    end
  end
  for _, ref in ipairs(refs) do
    if not held[ref] then
      lost[ref] = true
      any_lost = true
    end
  end
  return held, lost, any_lost
end

-- ARGV from..to as a list.
local function arguments(from, to)
  local list = {}
  for place = from, to do list[#list + 1] = ARGV[place] end
  return list
end
