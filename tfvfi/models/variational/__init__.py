"""Classical optical flow by a variational solver, made of operations that every backend has."""
