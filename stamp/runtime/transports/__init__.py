"""Brokers that carry a workflow's events. Each is a `stamp.runtime.transport.Transport`, and all of them pass one contract suite."""
