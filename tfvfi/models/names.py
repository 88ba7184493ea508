"""How published PyTorch files name what the layers of `blocks` hold."""

import re


def weight_and_bias(theirs: str, ours: str) -> dict[str, str]:
    """The published names of a convolution's two tensors -> its variables.

    Example:
        >>> weight_and_bias("encoder.0", "encoder/conv")
        {'encoder.0.weight': 'encoder/conv/kernel', 'encoder.0.bias': 'encoder/conv/bias'}
    """
    return {f"{theirs}.weight": f"{ours}/kernel", f"{theirs}.bias": f"{ours}/bias"}


def module_for_net(key: str) -> str:
    """A key of S. Niklaus's files as they spell it; his code, which reads them, says `net`.

    Example:
        >>> module_for_net("netExtractor.netOne.0.weight")
        'moduleExtractor.moduleOne.0.weight'
    """
    return re.sub(r"(^|\.)net(?=[A-Z])", r"\1module", key)
