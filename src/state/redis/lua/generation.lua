-- Keeps a version of a script, and the newest ones of those before. KEYS: fence, versions.
-- ARGV: our fence, its number, itself, how many are kept.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return -1
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
local numbers = redis.call('HKEYS', KEYS[2])
table.sort(numbers, function(a, b) return tonumber(a) > tonumber(b) end)
for index = tonumber(ARGV[4]) + 1, #numbers do
    redis.call('HDEL', KEYS[2], numbers[index])
end
return 1
