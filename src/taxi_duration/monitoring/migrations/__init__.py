"""The steps by which the schema `monitoring` came to what `monitoring.tables` declares."""
