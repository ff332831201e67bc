-- Ask whether work was done, or may be done by us. KEYS: newest finished run's start (µs), the run under way.
-- ARGV: not older than (µs), our id, seconds until a run counts as dead. Gives "done", "wait", or our run's start (µs).
local done = redis.call('GET', KEYS[1])
if done and tonumber(done) >= tonumber(ARGV[1]) then return 'done' end
if not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return 'wait' end
local time = redis.call('TIME')
return string.format('%.0f', time[1] * 1000000 + time[2])
