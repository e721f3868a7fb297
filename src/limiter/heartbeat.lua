-- Records that a node is alive and what it did. Returns the time, how many nodes are alive, and the clients released
-- since the node's last heartbeat.
-- KEYS: the nodes, the released clients, the nodes' reports, the clock's (clock.lua).
-- ARGV: this node, the time of its last heartbeat, how long a node counts as alive, how long a release is kept, this
--       node's report; then the clients that it releases now.
local now = monotonic(KEYS[4])
local text = string.format('%.0f', now)

redis.call('ZADD', KEYS[1], text, ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[5])
local dead = string.format('%.0f', now - ARGV[3])
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', dead)) do
  redis.call('HDEL', KEYS[3], node)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', dead)
for i = 6, #ARGV do
  redis.call('ZADD', KEYS[2], text, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[4]))
for i, life in ipairs({ ARGV[3], ARGV[4], ARGV[3] }) do
  redis.call('PEXPIRE', KEYS[i], math.ceil(life / 1000))
end
return { text, redis.call('ZCARD', KEYS[1]), redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[2], '+inf') }
