-- Take due records and lease them. ARGV: lane, limit, lease in ms, batch id.
-- Gives record, due time, origin and deaths of each. One that died twice comes alone: it is taken only from the front.
local lane, limit, batch = ARGV[1], ARGV[2], ARGV[4]
local now = now_ms()
local deadline = now + tonumber(ARGV[3])
local front = redis.call('ZRANGEBYSCORE', lane_key(lane), '-inf', whole(now), 'WITHSCORES', 'LIMIT', 0, limit)
local any_died = redis.call('HLEN', DEATHS) > 0
local taken = {}
for place = 1, #front, 2 do
  local ref = front[place]
  local deaths = any_died and tonumber(redis.call('HGET', DEATHS, ref) or '0') or 0
  if deaths < 2 or place == 1 then
    local origin = string.match(redis.call('HGET', WAITING, ref), '^%S+ (.*)$')
    redis.call('ZREM', lane_key(lane), ref)
    redis.call('HDEL', WAITING, ref)
    lease(ref, batch, lane, origin, deadline)
    taken[#taken + 1] = {ref, front[place + 1], origin, deaths}
    if deaths >= 2 then break end
  end
end
return taken
