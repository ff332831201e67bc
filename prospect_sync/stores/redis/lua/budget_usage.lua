-- Correct a day's count. ARGV: side, offset, used, limit.
turn_day(ARGV[1], ARGV[2])
redis.call('HSET', day_key(ARGV[1]), 'used', ARGV[3], 'limit', ARGV[4])
