"""Frames on which several interpolators agree: no weights of its own, the times of its members."""
