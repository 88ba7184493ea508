"""How published PyTorch files name the weights of common layers."""

import re


def weight_and_bias(theirs: str, ours: str) -> dict[str, str]:
    """Maps the published names of a convolution's two tensors to the variables here.

    Example:
        >>> weight_and_bias("encoder.0", "encoder/conv")
        {'encoder.0.weight': 'encoder/conv/kernel', 'encoder.0.bias': 'encoder/conv/bias'}
    """
    return {f"{theirs}.weight": f"{ours}/kernel", f"{theirs}.bias": f"{ours}/bias"}


def module_for_net(key: str) -> str:
    """Renames a key of S. Niklaus's code, `net...`, to the form in his files, `module...`.

    Example:
        >>> module_for_net("netExtractor.netOne.0.weight")
        'moduleExtractor.moduleOne.0.weight'
    """
    return re.sub(r"(^|\.)net(?=[A-Z])", r"\1module", key)
