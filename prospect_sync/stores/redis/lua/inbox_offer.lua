-- Put hints in. ARGV: record, lane, due in ms ("" = now), origin; again and again.
local now = now_ms()
for place = 1, #ARGV, 4 do
  local ref, lane, due, origin = ARGV[place], ARGV[place + 1], tonumber(ARGV[place + 2]) or now, ARGV[place + 3]
  if redis.call('ZSCORE', WORK, ref) then
    set_aside(ref, lane, due, origin, now)
  else
    wait(ref, lane, due, origin, now)
  end
end
