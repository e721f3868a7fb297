-- Says that a node lives, and tells it how many do and which clients were released since it last asked.
-- KEYS: the nodes, the released clients. ARGV: this node, when it last asked, how long a node counts as alive,
-- how long a release is told; then the clients that this node releases now.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local text = string.format('%.0f', now)

redis.call('ZADD', KEYS[1], text, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[3]))
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[3] / 1000))
for i = 5, #ARGV do
  redis.call('ZADD', KEYS[2], text, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[4]))
redis.call('PEXPIRE', KEYS[2], math.ceil(ARGV[4] / 1000))
return { text, redis.call('ZCARD', KEYS[1]), redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[2], '+inf') }
