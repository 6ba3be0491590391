"""Workflows: steps, contracts, and one hop."""

from stamp.workflow.context import StepContext
from stamp.workflow.export import export
from stamp.workflow.fail import Fail
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.step import Emission, From, Read, Step
from stamp.workflow.workflow import Workflow

__all__ = ["Emission", "Fail", "From", "Outgoing", "Read", "Step", "StepContext", "Workflow", "export"]
