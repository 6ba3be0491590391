"""A database as a broker, PostgreSQL or SQLite: for whoever has that one already.

Not kombu's transport: that one commits a message as read when it gives it out, so a killed consumer takes it along, and deletes nothing.
"""

from stamp.runtime.transports.sql.broker import Sql

__all__ = ["Sql"]
