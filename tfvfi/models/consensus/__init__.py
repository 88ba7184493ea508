"""The consensus of several interpolators: no weights of its own, and the times of its members."""
