"""Apache Kafka: a topic per queue, the run as the key, confirms by delivery reports, offsets committed by hand.

Not kombu's transport: its `ack` commits everything that was polled, it knows neither keys nor headers, and it ignores that a message was
not delivered.
"""

from stamp.runtime.transports.kafka.broker import Kafka

__all__ = ["Kafka"]
