"""Packages the library and, where TensorFlow is installed, the compiled native operations."""

import sys
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

from setuptools import Distribution, find_namespace_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithNativeOps(build_py):
    """Compiles the native operations into the package while it is built.

    Without TensorFlow to compile against, as in an isolated build, or without a compiler, the
    package is built all the same, and tries again on first use.
    """

    def run(self) -> None:
        super().run()
        if find_spec("tensorflow") is None:
            return
        # As a file, not as a module: the package around it would import Keras.
        build = run_path(str(ROOT / "tfvfi" / "ops" / "native" / "build.py"))
        try:
            build["build_into"](ROOT if self.editable_mode else Path(self.build_lib))
        except build["BuildError"] as error:
            print(f"tfvfi: the native operations are not compiled: {error}", file=sys.stderr)


class PlatformDistribution(Distribution):
    """A wheel that holds a binary is of one platform."""

    def has_ext_modules(self) -> bool:
        return find_spec("tensorflow") is not None


setup(
    # Folders of data, such as `bundled`, count as packages too.
    packages=find_namespace_packages(include=["tfvfi*"], exclude=["*__pycache__*"]),
    package_data={
        "tfvfi": [
            "**/*.cc",
            "**/*.h",
            "bundled/*.h5",
            "bundled/*.md",
            "cli/*.txt",
            "py.typed",
            "evaluation/report/page.*",
            "studio/page/*",
        ],
    },
    cmdclass={"build_py": BuildWithNativeOps},
    distclass=PlatformDistribution,
)
