-- End our run. KEYS: newest finished run's start (µs), the run under way.
-- ARGV: our id, our run's start or "" where it failed, seconds to remember it.
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
local done = redis.call('GET', KEYS[1])
if ARGV[2] ~= '' and not (done and tonumber(done) >= tonumber(ARGV[2])) then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
