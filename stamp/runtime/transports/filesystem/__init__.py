"""A folder on this machine as a broker: nothing to install, nothing to run."""

from stamp.runtime.transports.filesystem.broker import Filesystem

__all__ = ["Filesystem"]
