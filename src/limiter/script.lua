-- Decides one request after another, by clock.lua: takes one unit of every policy of the request, or of none. It does the
-- same as batch.rs and gcra.rs.
-- KEYS: the clock's, then for each policy today's key and, for a while after midnight, yesterday's.
-- ARGV: for each request how many policies it has, then for each policy how many keys it has, its kind, three numbers,
--       whether it is a shadow, and the position of the policy whose client must be new (0: none).
-- Returns the time, then for each policy 0 refused, 1 taken or 2 spared, and its state.
local COUNTED = 64
local now = monotonic(KEYS[1])

local function coarse(instant)
  return instant - instant % COUNTED
end

local RATE, BACKOFF = 'rate', 'backoff'

-- Returns the state that the quota can reach, the state after one more unit, and whether there is one.
local function decide(kind, a, b, c, state)
  if kind == RATE then
    state = math.min(state, now + b)
    local after = math.max(state, now) + a
    return state, after, after <= now + b
  elseif kind == BACKOFF then
    local furthest = coarse(now + 2 * b)
    if state > furthest + COUNTED - 1 then state = furthest + state % COUNTED end
    local attempts = state % COUNTED
    local forgiven = state - attempts
    if forgiven <= now then attempts = 0 end
    attempts = math.min(attempts + 1, COUNTED - 1)
    local delay = 0
    if attempts >= c then delay = math.min(b, a * 2 ^ math.min(attempts - c, 40)) end
    return state, coarse(now + delay + b) + attempts, forgiven - b <= now
  end
  return math.min(state, now + a), now + a, true
end

-- One request: its policies begin at KEYS[key] and ARGV[arg]. Returns where those of the next request begin.
local function take(reply, key, arg)
  local asks, refused = {}, false
  local last = arg + 7 * tonumber(ARGV[arg])
  for first = arg + 1, last, 7 do
    local ask = { key = KEYS[key], kind = ARGV[first + 1], shadow = ARGV[first + 5] == '1' }
    local stored = tonumber(redis.call('GET', ask.key) or 0)
    local keys = tonumber(ARGV[first])
    if keys == 2 then stored = math.max(stored, tonumber(redis.call('GET', KEYS[key + 1]) or 0)) end
    key = key + keys
    local counted = ask.kind == BACKOFF and stored % COUNTED or 0
    if stored - counted <= now then stored = 0 end
    ask.stored = stored
    ask.state, ask.after, ask.allowed = decide(ask.kind, tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]),
      tonumber(ARGV[first + 4]), stored)
    ask.needs = tonumber(ARGV[first + 6])
    asks[#asks + 1] = ask
  end
  for _, ask in ipairs(asks) do
    ask.due = ask.needs == 0 or asks[ask.needs].stored == 0
    if ask.due and not ask.allowed and not ask.shadow then refused = true end
  end
  for _, ask in ipairs(asks) do
    local outcome = 2
    if ask.due and not ask.allowed then
      outcome = 0
    elseif ask.due and not refused then
      outcome, ask.state = 1, ask.after
    end
    if ask.state ~= ask.stored and ask.state > now then
      redis.call('SET', ask.key, string.format('%.0f', ask.state), 'PX', math.ceil((ask.state - now) / 1000))
    end
    reply[#reply + 1] = outcome
    reply[#reply + 1] = ask.state
  end
  return key, last + 1
end

local reply, key, arg = { now }, 2, 1
while ARGV[arg] do key, arg = take(reply, key, arg) end
return reply
