"""Whole videos through our pipeline and through the chains that people use beside it.

`../video.py` is the command. Each chain runs in a process of its own; `ours` and `naive` also note
how long the network itself takes.
"""
