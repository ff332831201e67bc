-- Lease further records for a batch that lost none. ARGV: batch id, its lane, lease in ms, number of the batch's own
-- records, these, then the wanted ones. Gives the wanted ones that the batch now holds.
local batch, own = ARGV[1], tonumber(ARGV[4])
local held, _, any_lost = holding(batch, arguments(5, 4 + own))
if any_lost then return {} end
local deadline = now_ms() + tonumber(ARGV[3])
local got = {}
for place = 5 + own, #ARGV do
  local ref = ARGV[place]
  if held[ref] then
    got[#got + 1] = ref
  elseif not redis.call('ZSCORE', WORK, ref) then
    local lane, origin = ARGV[2], ''
    local entry = redis.call('HGET', WAITING, ref)
    if entry then
      lane, origin = string.match(entry, '^(%S+) (.*)$')
      redis.call('ZREM', lane_key(lane), ref)
      redis.call('HDEL', WAITING, ref)
    end
    lease(ref, batch, lane, origin, deadline)
    held[ref] = true
    got[#got + 1] = ref
  end
end
return got
