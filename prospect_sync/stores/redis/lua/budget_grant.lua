-- Give a permit and count a call. ARGV: side, offset, permit id, the lane's share of the day, limit where the vendor
-- named none (or ""), permit's life in ms, "1" where permits are counted, permits in all, "1" for bulk, bulk's permits.
-- Gives "granted", "busy", or the seconds until the next day.
local side, permit = ARGV[1], ARGV[3]
local left = turn_day(side, ARGV[2])
local limit = tonumber(redis.call('HGET', day_key(side), 'limit') or ARGV[5])
local used = tonumber(redis.call('HGET', day_key(side), 'used'))
if limit and used >= math.floor(limit * tonumber(ARGV[4]) + 1e-9) then return tostring(left) end
if ARGV[7] == '1' then
  local all, bulk = prefix .. 'permits:' .. side, prefix .. 'permits:' .. side .. ':bulk'
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local expiry = string.format('%.0f', now + tonumber(ARGV[6]))
  redis.call('ZREMRANGEBYSCORE', all, '-inf', string.format('%.0f', now))
  redis.call('ZREMRANGEBYSCORE', bulk, '-inf', string.format('%.0f', now))
  if redis.call('ZCARD', all) >= tonumber(ARGV[8]) then return 'busy' end
  if ARGV[9] == '1' then
    if redis.call('ZCARD', bulk) >= tonumber(ARGV[10]) then return 'busy' end
    redis.call('ZADD', bulk, expiry, permit)
  end
  redis.call('ZADD', all, expiry, permit)
end
redis.call('HINCRBY', day_key(side), 'used', 1)
return 'granted'
