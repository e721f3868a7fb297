-- KEYS: generations. ARGV: their life in ms, channel, message, a nonce for each generation.
-- From here on no entry made from any of these is good, and every node that listens knows.
for i = 1, #KEYS do
  redis.call('SET', KEYS[i], ARGV[i + 3], 'PX', ARGV[1])
end
return redis.call('PUBLISH', ARGV[2], ARGV[3])
