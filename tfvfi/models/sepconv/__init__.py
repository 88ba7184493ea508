"""SepConv: Video Frame Interpolation via Adaptive Separable Convolution (ICCV 2017)."""
