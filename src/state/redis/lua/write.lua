-- Writes what pipelines keep and their records, and renews the lease, unless another worker has taken over.
-- KEYS: fence, lease, rival, kept, then the records of pipelines. ARGV: our fence, who, milliseconds of the lease,
-- how many pipelines, their names and what they keep, then of each record the key's number, its time, itself.
local fence = redis.call('GET', KEYS[1])
if fence and tonumber(fence) > tonumber(ARGV[1]) then
    return {-1, 0}
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
local at = 5
for _ = 1, tonumber(ARGV[4]) do
    redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1])
    at = at + 2
end
while ARGV[at] do
    redis.call('ZADD', KEYS[4 + tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2])
    at = at + 3
end
return {fence and 1 or 0, redis.call('EXISTS', KEYS[3])}
