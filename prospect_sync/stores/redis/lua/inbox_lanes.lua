-- Tell the state of lanes. ARGV: the lanes. Gives waiting, due, and ms since the first was due, for each.
local now = now_ms()
local states = {}
for _, lane in ipairs(ARGV) do
  local key = lane_key(lane)
  local due = redis.call('ZCOUNT', key, '-inf', whole(now))
  local age = 0
  if due > 0 then age = now - tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]) end
  states[#states + 1] = {redis.call('ZCARD', key), due, age}
end
return states
