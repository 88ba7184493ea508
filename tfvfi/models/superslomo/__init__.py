"""Super SloMo (Jiang et al., CVPR 2018), in the forms of its two public implementations."""
