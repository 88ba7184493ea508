"""The networks: one folder each, and the contracts they share."""
