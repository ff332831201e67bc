-- Lease a batch's records anew, unless it lost any. ARGV: batch id, lease in ms, the batch's own records. Gives 1 or 0.
local held, _, any_lost = holding(ARGV[1], arguments(3, #ARGV))
if any_lost or next(held) == nil then return 0 end
local deadline = whole(now_ms() + tonumber(ARGV[2]))
for ref in pairs(held) do redis.call('ZADD', WORK, deadline, ref) end
return 1
