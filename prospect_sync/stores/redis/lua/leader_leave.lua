-- Give a post up if it is ours. KEYS: the post. ARGV: our id.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
