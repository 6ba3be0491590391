"""Whether what one schema writes, another one reads, and with the same meaning."""

from stamp.compat.check import check
from stamp.compat.finding import Finding, Fix, Fragment, Severity, Witness
from stamp.compat.fix import MAX_FIXES, Fixes, with_fixes
from stamp.compat.modes import MODES, Comparison, check_versions
from stamp.compat.proof import Sample, prove, samples
from stamp.compat.rule import Rule
from stamp.compat.rules import ENFORCED, RULES
from stamp.compat.source import Schema, Source, read_source
from stamp.compat.witness import Witnesses, with_witnesses, witness

__all__ = [
    "ENFORCED",
    "MAX_FIXES",
    "MODES",
    "RULES",
    "Comparison",
    "Finding",
    "Fix",
    "Fixes",
    "Fragment",
    "Rule",
    "Sample",
    "Schema",
    "Severity",
    "Source",
    "Witness",
    "Witnesses",
    "check",
    "check_versions",
    "prove",
    "read_source",
    "samples",
    "with_fixes",
    "with_witnesses",
    "witness",
]
