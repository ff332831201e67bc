-- End overdue leases. Gives the records returned to waiting, and those that died for the third time and are not buried.
-- ARGV: seconds for which a batch is remembered that lost records.
local now = now_ms()
local returned = {}
for _, ref in ipairs(redis.call('ZRANGEBYSCORE', WORK, '-inf', whole(now))) do
  local first = tonumber(redis.call('ZSCORE', FIRST, ref) or now)
  local batch, lane, origin = end_lease(ref)
  redis.call('SREM', batch_key(batch), ref)
  redis.call('SADD', batch_key(batch), '!' .. ref)
  redis.call('EXPIRE', batch_key(batch), ARGV[1])
  if redis.call('HINCRBY', DEATHS, ref, 1) >= 3 then
    redis.call('HDEL', DEATHS, ref)
    redis.call('HDEL', AGAIN, ref)
    redis.call('ZREM', FIRST, ref)
    redis.call('SADD', POISONOUS, ref)
  else
    wait(ref, lane, now, origin, first)
    bring_back(ref)
    returned[#returned + 1] = ref
  end
end
return {returned, redis.call('SMEMBERS', POISONOUS)}
