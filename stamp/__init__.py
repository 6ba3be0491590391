"""Workflow state that travels inside the workflow's own messages."""

__version__ = "0.1.0"
