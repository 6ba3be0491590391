"""Workflows: steps, contracts, one hop, and how far a run has come."""

from stamp.workflow.context import StepContext
from stamp.workflow.export import export
from stamp.workflow.fail import Fail
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.progress import Progress
from stamp.workflow.step import Emission, From, Read, Step
from stamp.workflow.workflow import Workflow

__all__ = ["Emission", "Fail", "From", "Outgoing", "Progress", "Read", "Step", "StepContext", "Workflow", "export"]
