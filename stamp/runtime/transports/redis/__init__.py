"""Redis 6.2 or later, by streams and consumer groups.

Not kombu's transport: that one takes a message from a list with BRPOP and notes it in a hash with a second command, so a consumer
killed between the two loses it; what it noted comes again only after an hour, if nothing else is in the way. A stream keeps the entry,
and the group the name of who has it, in one step.
"""

from stamp.runtime.transports.redis.broker import Redis

__all__ = ["Redis"]
