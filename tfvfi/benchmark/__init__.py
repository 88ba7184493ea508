"""Measures the speed of networks and operations, compared with other engines and the machine."""
