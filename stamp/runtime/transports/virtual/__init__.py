"""Brokers without a server: the queues are in memory, in a folder or in a database, and what a broker does with them is done here.

Not kombu's virtual transports, although they go by the same names: those give a message out and forget it, so a killed consumer takes
it along; in a folder a message can be read before it is written, on SQL nothing is ever deleted, and all of them look for messages
once a second.
"""

from stamp.runtime.transports.virtual.broker import Virtual

__all__ = ["Virtual"]
