-- Gives back the unit that made a state ARGV[2], as far as time has not given it back yet.
-- KEYS: the clock's (clock.lua), then one for each policy. ARGV: for each policy its interval (0 forgets the client) and
-- that state.
local now = monotonic(KEYS[1])
for i = 1, #KEYS - 1 do
  local key, interval, taken = KEYS[i + 1], tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local state = tonumber(redis.call('GET', key) or 0)
  local left = state - math.min(interval, math.max(taken - now, 0))
  if interval == 0 or left <= now then
    redis.call('DEL', key)
  elseif left < state then
    redis.call('SET', key, string.format('%.0f', left), 'PX', math.ceil((left - now) / 1000))
  end
end
return now
