"""Importing Keras and its backend without the notes that the backend prints at its start."""

import os
import sys
import tempfile


def import_keras() -> None:
    """Imports Keras and its backend; what they print meanwhile is shown only if they fail.

    TensorFlow writes half a dozen lines at its import (a missing GPU, processor features) before
    any setting of its own can stop it.
    """
    if "keras" in sys.modules:
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
        except Exception:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
