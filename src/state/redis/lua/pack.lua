-- Puts one packed entry in place of the oldest records of a pipeline. KEYS: fence, records, packed, sizes.
-- ARGV: our fence, how many records, the time of the newest, the entry, the pipeline.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4])
redis.call('HINCRBY', KEYS[4], ARGV[5], #ARGV[4])
return redis.call('ZREMRANGEBYRANK', KEYS[2], 0, ARGV[2] - 1)
