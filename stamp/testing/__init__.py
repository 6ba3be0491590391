"""Helpers for the tests of workflows. Nothing else of stamp imports them."""

from stamp.testing.clock import VirtualClock
from stamp.testing.simulation import Simulation

__all__ = ["Simulation", "VirtualClock"]
