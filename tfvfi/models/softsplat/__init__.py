"""Softmax splatting (Niklaus and Liu, CVPR 2020): frames by differentiable forward warping."""
