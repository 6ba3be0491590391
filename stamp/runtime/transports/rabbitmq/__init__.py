"""RabbitMQ: quorum queues, confirms by delivery tag, dead letter queues."""

from stamp.runtime.transports.rabbitmq.broker import RabbitMQ

__all__ = ["RabbitMQ"]
