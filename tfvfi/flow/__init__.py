"""Optical flow outside a network: .flo files, color pictures, the flow of a sequence of frames."""
