"""Example workflows, one folder each."""
