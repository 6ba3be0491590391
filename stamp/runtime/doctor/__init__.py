"""Examinations of brokers and stores: for each trap that is known, whether somebody has fallen into it, and what to set.

What a probe makes it removes again. `examination` says who is examined how; the other modules have the probes.
"""
