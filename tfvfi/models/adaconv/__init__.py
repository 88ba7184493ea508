"""AdaConv: Video Frame Interpolation via Adaptive Convolution (CVPR 2017)."""
