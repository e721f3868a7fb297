-- KEYS: entry, lease, generations. ARGV: token, lease in ms, generations' life in ms, a nonce for each generation.
-- Seeds the generations that are missing and lets one load. Returns whether it is us, the entry, the generations.
local answer = { 0, redis.call('GET', KEYS[1]) }
for i = 3, #KEYS do
  local generation = redis.call('GET', KEYS[i])
  if generation then
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  else
    generation = ARGV[i + 1]
    redis.call('SET', KEYS[i], generation, 'PX', ARGV[3])
  end
  answer[i] = generation
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  answer[1] = 1
end
return answer
