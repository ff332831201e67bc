-- End a batch's leases and offer records again. ARGV: batch id, number of the batch's own records, these, then
-- record, lane, due in ms ("" = now), origin of each hint to offer. What the batch lost is left alone; but its worker was
-- late and not dead, so the death is taken back.
local batch, own = ARGV[1], tonumber(ARGV[2])
local now = now_ms()
local held, lost = holding(batch, arguments(3, 2 + own))
local since = {}
for ref in pairs(held) do
  end_lease(ref)
  since[ref] = tonumber(redis.call('ZSCORE', FIRST, ref) or now)
  redis.call('HDEL', DEATHS, ref)
  redis.call('ZREM', FIRST, ref)
  bring_back(ref)
end
for ref in pairs(lost) do
  if redis.call('SISMEMBER', batch_key(batch), '!' .. ref) == 1 then
    local died = tonumber(redis.call('HGET', DEATHS, ref) or 0)
    if died > 1 then redis.call('HINCRBY', DEATHS, ref, -1) else redis.call('HDEL', DEATHS, ref) end
  end
end
redis.call('DEL', batch_key(batch))
for place = 3 + own, #ARGV, 4 do
  local ref, lane, due, origin = ARGV[place], ARGV[place + 1], tonumber(ARGV[place + 2]) or now, ARGV[place + 3]
  if not lost[ref] then
    if redis.call('ZSCORE', WORK, ref) then
      set_aside(ref, lane, due, origin, now)
    else
      wait(ref, lane, due, origin, since[ref] or now)
    end
  end
end
