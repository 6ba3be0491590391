"""Amazon SQS: a FIFO queue per step, whose message group is the run.

FIFO, because a standard queue gives messages out in any order, and then the order of arrival, which is the order in which a store works on
a run, would mean nothing. Not kombu's transport: there an event gets only to queues that the same connection has declared.
"""

from stamp.runtime.transports.sqs.broker import SQS

__all__ = ["SQS"]
