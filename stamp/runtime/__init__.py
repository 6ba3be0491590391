"""How events travel: topology, transports, and what runs the steps of a workflow on them.

This is the only layer that knows kombu. `topic` and `topology` are pure and do without it, so nothing is imported here.
"""
