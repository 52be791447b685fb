"""What the stream's server does in one go, in its own language: all of a script, and nothing in between.

A server that is full refuses every script that may write, but for those that say so (`allow-oom`, of Redis 7 and of
Valkey): what makes room must go on then, or nothing would ever be drained.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ADD", "BEGIN_ERA", "FINISH", "FINISH_FULL", "HOLD", "LET_GO", "MAKE_GROUP", "STANDING"]

_ALSO_FULL: Final = "#!lua flags=allow-oom\n"

ADD: Final = """
local held, most = tonumber(redis.call('GET', KEYS[4]) or '0'), tonumber(ARGV[2])
if held + #ARGV[1] > most and held ~= 0 and redis.call('XLEN', KEYS[1]) == 0 then
  held = 0
  redis.call('SET', KEYS[4], held)
end
if held + #ARGV[1] > most then
  return redis.error_reply('FULL the stream holds as much as it may')
end
local id = redis.call('XADD', KEYS[1], '*', 'l', ARGV[1])
redis.call('INCRBY', KEYS[4], #ARGV[1])
redis.call('RPUSH', KEYS[2], id)
redis.call('EXPIRE', KEYS[2], ARGV[3])
return redis.call('GET', KEYS[3])
"""
"""Keys: stream, tail, note, bytes; arguments: line, most bytes, seconds of the tail. Gives the note."""
STANDING: Final = """
local snapshot = redis.call('GET', KEYS[3])
local era = (redis.call('GET', KEYS[4]) or '0') .. ' '
if snapshot and string.sub(snapshot, 1, #era) ~= era then snapshot = false end
local found = {snapshot, false}
for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local entry = redis.call('XRANGE', KEYS[1], id, id)
  if entry[1] then found[#found + 1] = entry[1][2][2] end
end
if snapshot and ARGV[1] ~= '' then
  local answer = redis.call('GET', KEYS[5])
  if answer then
    local of = redis.sha1hex(snapshot .. table.concat(found, '', 3)) .. ARGV[1]
    if string.sub(answer, 1, #of) == of then return {false, string.sub(answer, #of + 1)} end
  end
end
return found
"""
"""Keys: stream, tail, snapshot, era, answer; argument: the mark of the model, empty for no answer to be looked for.
Gives the snapshot where it is of this era, then nothing, then the lines that wait; or else nothing, then the answer
that was kept for exactly these by this model."""
HOLD: Final = f"""{_ALSO_FULL}
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""Key: lease; arguments: who, milliseconds. Gives whether it is theirs now."""
LET_GO: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
"""Key: lease; argument: who."""
MAKE_GROUP: Final = f"{_ALSO_FULL}return redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')"
"""Key: stream; argument: group. An error (BUSYGROUP) where it is there."""
BEGIN_ERA: Final = f"{_ALSO_FULL}return redis.call('INCR', KEYS[1])"
"""Key: era."""
_FINISH: Final = """
local entries, notes, group, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], 0
for i = 1, entries do
  local id = ARGV[5 + i]
  redis.call('XACK', KEYS[1], group, id)
  if redis.call('XDEL', KEYS[1], id) == 1 then bytes = bytes + tonumber(ARGV[5 + entries + i]) end
  redis.call('LREM', KEYS[2 + i], 1, id)
end
redis.call('DECRBY', KEYS[2], bytes)
for i = entries + 1, #KEYS - 2 do
  local value, seconds = ARGV[5 + entries + i], ARGV[i <= entries + notes and 4 or 5]
  if value == '' then
    redis.call('DEL', KEYS[2 + i])
  else
    redis.call('SET', KEYS[2 + i], value, 'EX', seconds)
  end
end
"""
FINISH: Final = f"#!lua\n{_FINISH}"
"""Keys: stream, bytes, then the entries' tails, the notes and the snapshots; arguments: how many entries and notes, the
group, seconds of notes and of snapshots, then the entries' ids and bytes, notes, and snapshots, empty for one to drop.
Only an entry that is there yet makes room: another drain may have been faster."""
FINISH_FULL: Final = f"{_ALSO_FULL}{_FINISH}"
"""The same on a server that is full."""
