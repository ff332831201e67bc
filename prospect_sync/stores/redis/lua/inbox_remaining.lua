-- Tell how many ms a batch's lease still runs. ARGV: batch id, the batch's own records. Gives 0 when it lost any.
local held, _, any_lost = holding(ARGV[1], arguments(2, #ARGV))
if any_lost or next(held) == nil then return 0 end
local deadline = math.huge
for ref in pairs(held) do deadline = math.min(deadline, tonumber(redis.call('ZSCORE', WORK, ref))) end
return deadline - now_ms()
