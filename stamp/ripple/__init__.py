"""How a change of contracts ripples through a workflow: who breaks, through which events, what order of deployment is safe."""

from stamp.ripple.acceptance import Acceptance
from stamp.ripple.analysis import ripple
from stamp.ripple.baseline import read_baseline
from stamp.ripple.brokers import BROKERS, Broker
from stamp.ripple.contracts import Contracts, contracts_of, read_folder
from stamp.ripple.graph import Graph, Route
from stamp.ripple.growth import BUDGET, EventSize, Growth
from stamp.ripple.leave import accept
from stamp.ripple.proof import explained, proved
from stamp.ripple.reading import Reading
from stamp.ripple.report import Handover, Impact, Phase, Proof, Report, Rollout
from stamp.ripple.rule import Rule
from stamp.ripple.rules import RULES
from stamp.ripple.sizes import ASSUMED, Assumptions, Size

__all__ = [
    "ASSUMED",
    "BROKERS",
    "BUDGET",
    "RULES",
    "Acceptance",
    "Assumptions",
    "Broker",
    "Contracts",
    "EventSize",
    "Graph",
    "Growth",
    "Handover",
    "Impact",
    "Phase",
    "Proof",
    "Reading",
    "Report",
    "Rollout",
    "Route",
    "Rule",
    "Size",
    "accept",
    "contracts_of",
    "explained",
    "proved",
    "read_baseline",
    "read_folder",
    "ripple",
]
