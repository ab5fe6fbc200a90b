"""Which labels of a model and of another corpus stand for the same.

Labels of equal names do, whatever their case. Others go together by pairs that a user names; what
is linked by pairs, however indirectly, is one.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from emotion_keras.command.options import load_texts_of
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs.normalization import clean_text, fold_text
from emotion_keras.record.options import join_names, split_names

_FORM = "`--map MODEL_LABEL=DATA_LABEL,...`"


class LabelMap(NamedTuple):
    """How the labels of a model and those of a corpus go together.

    Args:
        of_model: By label of the model the name of the shared label that it counts as, or `None`.
        of_data: The same by label of the corpus.

    Attributes:
        shared: Names of the shared labels, in the model's order. Several labels of the model that
            count as one are joined by a plus.
        model_only: Labels that the model alone has.
        data_only: Labels that the corpus alone has.
    """

    of_model: dict[str, str | None]
    of_data: dict[str, str | None]

    @property
    def shared(self) -> list[str]:
        return list(dict.fromkeys(name for name in self.of_model.values() if name is not None))

    @property
    def model_only(self) -> list[str]:
        return [label for label, name in self.of_model.items() if name is None]

    @property
    def data_only(self) -> list[str]:
        return [label for label, name in self.of_data.items() if name is None]

    def sources(self, name: str) -> list[str]:
        """The labels of the corpus that count as a shared label."""
        return [label for label, found in self.of_data.items() if found == name]


def map_labels(
    model_labels: Sequence[str],
    data_labels: Sequence[str],
    asked: str | Mapping[str, Any] | None = None,
    source: str = "the corpus",
) -> LabelMap:
    """Finds which labels of a model and of a corpus stand for the same.

    Args:
        model_labels: The model's.
        data_labels: Those of the corpus's examples.
        asked: Pairs beside those of equal names, as in `sadness=sorrow,joy=love`; a label without a
            partner, as in `fear=`, stands for no label of the corpus. Or a dictionary of a label,
            a list of labels or `None` by label of the model; or the path of a YAML or JSON file of
            such.
        source: The corpus, for messages.

    Returns:
        `LabelMap`, with two shared labels or more.

    Raises:
        UserError: If a label is unknown, or fewer than two are shared.

    Example:

    >>> found = map_labels(["joy", "fear", "shame"], ["Fear", "love"], "joy=love")
    >>> found.shared, found.model_only, found.sources("joy")
    (['joy', 'fear'], ['shame'], ['love'])
    """
    pairs = [(one, other) for one in model_labels for other in data_labels if _alike(one, other)]
    for name, others in _read(asked):
        label = _find(name, model_labels, "the model", asked)
        if not others:
            pairs = [pair for pair in pairs if pair[0] != label]
        pairs += [(label, _find(other, data_labels, source, asked)) for other in others]
    of_model = dict.fromkeys(model_labels)
    of_data = dict.fromkeys(data_labels)
    for ours, theirs in _linked(pairs):
        name = "+".join(label for label in model_labels if label in ours)
        of_model |= dict.fromkeys(ours, name)
        of_data |= dict.fromkeys(theirs, name)
    found = LabelMap(of_model, of_data)
    _check(found, source, asked)
    return found


def as_pairs(asked: Mapping[str, Any]) -> str:
    """The pairs of a dictionary as `map_labels` takes them in a text."""
    return join_names(
        f"{name}={other}"
        for name, others in asked.items()
        for other in _as_list(name, others) or [""]
    )


def _alike(name: str, other: str) -> bool:
    """Whether two labels differ in case and blanks alone."""
    return _fold(name) == _fold(other)


def _fold(label):
    return "".join(fold_text(clean_text(label)).split())


def _read(asked) -> Iterable[tuple[str, list[str]]]:
    """What a user says goes together: pairs of a label of the model and labels of the corpus."""
    if asked is None:
        return []
    if isinstance(asked, str) and _is_file(asked):
        path, asked = asked, load_texts_of(asked, "a mapping of labels")
        if not isinstance(asked, Mapping):
            raise UserError(
                f"{path} holds no mapping of labels. Expected a label of the corpus, or a list of "
                "such, by label of the model, as in sadness: sorrow"
            )
    if isinstance(asked, Mapping):
        return [(str(name), _as_list(name, others)) for name, others in asked.items()]
    pairs = [pair.partition("=") for pair in split_names("map", asked) if pair]
    if wrong := [name for name, equals, _ in pairs if not equals or not name.strip()]:
        raise UserError(
            f"map is pairs of labels, {_FORM}, or the path of a YAML or JSON file. "
            f"Received: {join_names(wrong)}"
        )
    return [(name.strip(), [other.strip()] if other.strip() else []) for name, _, other in pairs]


def _is_file(text):
    return text.endswith((".yaml", ".yml", ".json")) or os.path.isfile(text)


def _as_list(name, others):
    values = [] if others is None else others if isinstance(others, list | tuple) else [others]
    if not all(isinstance(value, str) for value in values):
        raise UserError(
            "A label of the model stands for a label of the corpus, a list of such, or null for "
            f"none. Received: {name}={others!r}"
        )
    return list(values)


def _find(name, labels, whose, asked):
    """The label that is meant by a name."""
    if name in labels:
        return name
    alike = [label for label in labels if _alike(label, name)]
    if len(alike) == 1:
        return alike[0]
    raise UserError(
        f"{name!r} is no label of {whose}.{did_you_mean(name, labels)} Its labels: "
        f"{', '.join(labels)}. A pair names the model's label first: {_FORM}. "
        f"Received: map={asked!r}"
    )


def _linked(pairs) -> list[tuple[set[str], set[str]]]:
    """Labels of the model and of the corpus that pairs link with each other."""
    groups: list[tuple[set[str], set[str]]] = []
    for one, other in pairs:
        touching = [group for group in groups if one in group[0] or other in group[1]]
        groups = [group for group in groups if group not in touching]
        ours, theirs = {one}, {other}
        groups.append(
            (ours.union(*(g[0] for g in touching)), theirs.union(*(g[1] for g in touching)))
        )
    return groups


def _check(found, source, asked):
    number = len(found.shared)
    if number >= 2:
        return
    shared = "none" if not number else f"one, {found.shared[0]}"
    raise UserError(
        f"At least two labels that both know are needed to tell apart, and there is {shared}. "
        f"Labels of the model: {', '.join(found.of_model)}. Labels of {source}: "
        f"{', '.join(found.of_data)}. Say which stand for the same with {_FORM}. "
        f"Received: map={asked!r}"
    )
