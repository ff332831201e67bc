-- Stop naming poisonous records. ARGV: the records.
for _, ref in ipairs(ARGV) do redis.call('SREM', POISONOUS, ref) end
return 1
