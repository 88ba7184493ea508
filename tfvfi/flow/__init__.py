"""Optical flow outside networks: .flo files, color pictures, and the flow of frame sequences."""
