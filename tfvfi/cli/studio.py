"""Opens the studio, a page in the browser to interpolate, preview, compare and fine-tune.

    python tools/studio.py
    python tools/studio.py --folder=Videos --folder=/media/card --no_browser

By default the page is accessible only from this machine, at the printed address, which contains a
random token. It reads the given folders; uploads, results and the queue are stored in the folder
tfvfi-studio in the first of them. Work continues when the page is closed, and resumes when the
studio is restarted. It requires pip install 'tfvfi[studio]'.
"""

from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string(
    "folder", ["."], "a folder that the page may read; repeatable", flag_values=FLAGS
)
flags.DEFINE_string(
    "host",
    "127.0.0.1",
    "the address to listen at; any other one opens the studio to the network",
    flag_values=FLAGS,
)
flags.DEFINE_integer("port", 8765, "the port; 0 for any that is free", 0, 65535, flag_values=FLAGS)
flags.DEFINE_bool("no_browser", False, "print the address and open no browser", flag_values=FLAGS)


def main() -> None:
    """Serves the studio until it is interrupted."""
    from tfvfi.studio.server import serve

    serve(FLAGS.folder, FLAGS.host, FLAGS.port, browser=not FLAGS.no_browser)
