-- KEYS: entry, lease, generations. ARGV: token, life in ms (0: store nothing), entry, the generations seen before the load.
-- Gives the lease back; stores the entry only if nothing that it depends on was touched meanwhile.
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
end
if ARGV[2] == '0' then
  return 0
end
for i = 3, #KEYS do
  if redis.call('GET', KEYS[i]) ~= ARGV[i + 1] then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
return 1
