"""What must happen on the server in one step, and what a transaction cannot do."""

from __future__ import annotations

from typing import Final

__all__ = ["BURY", "CLAIM", "DISMISS", "READ", "REMOVE", "REPLAY"]

BURY: Final = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
"""
"""Write a dead letter, then acknowledge and delete its entry. A transaction would go on although the letter could not be written.

Keys: the stream and that of its dead letters. Arguments: the group, the id of the entry, the fields of the letter.
"""

READ: Final = """
local room, largest, most, taken, left, is_more = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6]), {}, {}, true
for number in ipairs(KEYS) do left[number] = tonumber(ARGV[4]) end
while is_more do
    is_more = false
    for number, key in ipairs(KEYS) do
        if room <= 0 then return taken end
        if left[number] > 0 then
            local count = math.max(1, math.min(most, left[number], math.floor(room / largest)))
            local answer = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', key, '>')
            if answer and answer.err then return #taken == 0 and answer or taken end
            local entries = answer and answer[1][2] or {}
            for _, entry in ipairs(entries) do
                local size = 0
                for _, part in ipairs(entry[2]) do size = size + #part end
                room, largest = room - size, math.max(largest, size)
                taken[#taken + 1] = {key, entry}
            end
            left[number] = #entries == count and left[number] - count or 0
            is_more = is_more or left[number] > 0
        end
    end
end
return taken
"""
"""Read new entries of one stream after the other, again and again, until they have as many bytes as there is room for.

A client is given what it asks for, however large it is. So we ask for several at once only as long as there is room for as many that are as
large as the largest so far, and for one otherwise.
Keys: streams. Arguments: the group, a consumer, bytes, how many entries of each stream, bytes that an entry counts as at least before it is
seen, how many entries to ask for at most at once.
"""

CLAIM: Final = """
local room, count, cursor, taken = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[4], {}
for _ = 1, count do
    if room <= 0 then break end
    local answer = redis.pcall('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], cursor, 'COUNT', 1)
    if answer.err then if #taken == 0 then return answer end break end
    cursor = answer[1]
    for _, entry in ipairs(answer[2]) do
        if entry then
            for _, part in ipairs(entry[2]) do room = room - #part end
            taken[#taken + 1] = entry
        end
    end
    if cursor == '0-0' then break end
end
return {cursor, taken}
"""
"""Claim entries of consumers that are not heard of, one by one, as READ reads.

Key: a stream. Arguments: the group, a consumer, milliseconds, where to go on, bytes, how many entries.
"""

DISMISS: Final = """
for _, facts in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local name, pending, idle = facts[2], facts[4], facts[6]
    if pending == 0 and (name == ARGV[2] or idle > tonumber(ARGV[3])) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
    end
end
"""
"""Delete consumers that have no entries: the one that is named, and those that were not heard of for too long.

A consumer that is given an entry after somebody looked, and before it is deleted, would take the entry with it: so both in one step.
Key: a stream. Arguments: the group, a name, milliseconds.
"""

REMOVE: Final = """
local waiting = redis.call('XLEN', KEYS[1])
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
for _, facts in ipairs(consumers.err and {} or consumers) do
    if facts[6] < tonumber(ARGV[3]) then return {1, waiting} end
end
if waiting == 0 or ARGV[2] == '1' then redis.call('DEL', KEYS[1]) end
return {0, waiting}
"""
"""Delete a stream, unless a consumer was heard of not long ago or entries are in it that are to stay; return whether somebody consumes it,
and how many entries there are.

Key: a stream, which need not be there. Arguments: the group, 1 if entries are deleted, too, or else 0, milliseconds.
"""

REPLAY: Final = """
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return redis.call('XDEL', KEYS[1], ARGV[1])
"""
"""Move a dead letter to its queue, unless somebody else has.

Keys: the stream of the dead letters and that of the queue. Arguments: the id of the letter, the fields of the message.
"""
