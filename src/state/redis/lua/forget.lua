-- Deletes what is older than a time of one pipeline, at most 200 entries. KEYS: fence, records, packed, sizes.
-- ARGV: our fence, the time, the pipeline.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2])
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[2], 'LIMIT', 0, 200)
for _, entry in ipairs(old) do
    redis.call('ZREM', KEYS[3], entry)
    redis.call('HINCRBY', KEYS[4], ARGV[3], -#entry)
end
return #old
