-- Tell a day's count and limit. ARGV: side, offset.
turn_day(ARGV[1], ARGV[2])
return redis.call('HMGET', day_key(ARGV[1]), 'used', 'limit')
