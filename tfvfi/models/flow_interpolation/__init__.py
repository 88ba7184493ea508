"""Interpolation from optical flow alone: no weights, any time."""
