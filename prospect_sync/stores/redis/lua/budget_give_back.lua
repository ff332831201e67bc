-- Give a permit back. ARGV: side, permit id.
redis.call('ZREM', prefix .. 'permits:' .. ARGV[1], ARGV[2])
redis.call('ZREM', prefix .. 'permits:' .. ARGV[1] .. ':bulk', ARGV[2])
