"""What survives a crash: work that came in, events that go out, dead letters and final events.

One database, SQLite or PostgreSQL, through SQLAlchemy Core. What is done together is one transaction of the caller's.
"""
