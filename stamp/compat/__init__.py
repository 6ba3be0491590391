"""Whether what one schema writes, another one reads, and with the same meaning."""

from stamp.compat.check import check
from stamp.compat.finding import Finding, Fix, Fragment, Severity, Witness
from stamp.compat.source import Source, read_source

__all__ = ["Finding", "Fix", "Fragment", "Severity", "Source", "Witness", "check", "read_source"]
