-- Takes the lease, unless another worker has it. A fence grows also where the server has lost what it kept.
-- KEYS: fence, lease, rival, version. ARGV: who, milliseconds of the lease, a lease that is known to be dead,
-- milliseconds that a rival is remembered, the version of what is kept.
local version = redis.call('GET', KEYS[4])
if version and tonumber(version) > tonumber(ARGV[5]) then
    return {-1, version}
end
local held = redis.call('GET', KEYS[2])
if held and held ~= ARGV[3] then
    redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4])
    return {0, held}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[1]) or '0') + 1, now))
redis.call('SET', KEYS[1], fence)
redis.call('SET', KEYS[2], fence .. ' ' .. ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[4], ARGV[5])
redis.call('DEL', KEYS[3])
return {1, fence}
