-- Tell when the longest-waiting record was first offered (ms), or nothing.
-- What is kept aside is younger than the record in work it belongs to, unless that one was claimed without being offered.
local oldest = redis.call('ZRANGE', FIRST, 0, 0, 'WITHSCORES')[2]
if redis.call('HLEN', AGAIN) > 0 then
  for _, entry in ipairs(redis.call('HVALS', AGAIN)) do
    local since = string.match(entry, '^%S+ %S+ (%S+) ')
    if not oldest or tonumber(since) < tonumber(oldest) then oldest = since end
  end
end
return oldest
