-- The scripts' clock, in microseconds: Redis' clock, made monotonic. If Redis' clock is set back, the difference is
-- added from then on, so that no client seems to have used the units that time has given back.
-- A key holds the latest time (at most a tenth of a second old) and the added difference.
local function monotonic(key)
  local told = redis.call('TIME')
  local now = told[1] * 1000000 + told[2]
  local latest, added = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
  latest, added = tonumber(latest or 0), tonumber(added or 0)
  now = now + added
  if now < latest then added, now = added + latest - now, latest end
  if now == latest or now >= latest + 100000 then
    redis.call('SET', key, string.format('%.0f %.0f', now, added), 'EX', 172800)
  end
  return now
end

