"""The authors' networks beside ours: how each is fetched, run on a CPU and measured.

None of their code is kept here. Each file named after a network imports the authors' modules from a
clone of their repository and returns a `subject.Subject`; `stand_ins` replaces operations that
they wrote for CUDA only. `../peers.py` is the command.
"""
