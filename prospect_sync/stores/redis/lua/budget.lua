-- Words that all budget scripts share; put in front of each of them. KEYS[1] is the prefix of all keys.
--   day:<side>           hash        day (number), used, limit
--   permits:<side>       sorted set  permits by expiry (ms)
--   permits:<side>:bulk  sorted set  those of them that bulk holds
local prefix = KEYS[1]

local function day_key(side) return prefix .. 'day:' .. side end

-- Begin a new day's count where one has begun; offset: seconds that the vendor's wall clock is ahead of UTC.
-- Gives the seconds until the next one.
local function turn_day(side, offset)
  local wall = tonumber(redis.call('TIME')[1]) + tonumber(offset)
  local day = math.floor(wall / 86400)
  if tonumber(redis.call('HGET', day_key(side), 'day')) ~= day then
    redis.call('HSET', day_key(side), 'day', day, 'used', 0)
  end
  return 86400 - wall % 86400
end
