"""Whether what one schema writes, another one reads, and with the same meaning."""
