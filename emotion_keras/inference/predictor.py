"""What a trained or an exported model says of new examples.

An exported model needs NumPy, tokenizers and onnxruntime alone; Keras is imported for others.
"""

import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, overload

import numpy as np

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.evaluation.threshold import Threshold, choose_threshold
from emotion_keras.inference.base import Model
from emotion_keras.inference.familiarity import Familiarity
from emotion_keras.inference.outputs import explain_units
from emotion_keras.inference.unsure import UNSURE, mark_unsure
from emotion_keras.inputs import Input

# What the record of an exported model holds; see `record.check_types`.
_EXPORT = {
    "name": str,
    "labels": [str],
    "temperature": float,
    "sequence_length": int,
    "preparation": {"clean": bool, "normalize_punctuation": bool},
}
# Of a combination, each of its list of `members`.
_MEMBER = {"run_id": str, "weight": float, "inputs": dict, "state": dict}


class Predictor:
    """A model that answers a user: it prepares cells, scales probabilities and names labels.

    Args:
        model: `Model`.
        name: The model's name, for people.
        temperature: What the probabilities are scaled with, fitted on the validation split.
        preparation: Dictionary of the options of the preparation that the model was trained with.
        faithfulness: Dictionary of a sentence by way of explaining: whether predictions rest on the
            words that it points at; see `in_words`. Ways that were not measured are not in it.
        familiarity: `Familiarity`, by which texts are flagged that are unlike the training split;
            `None` where nothing is known of it.
        thresholds: Function without arguments that gives what `evaluation.coverage.thresholds`
            gives, called once, when a threshold is asked for by accuracy; or `None` if nothing is
            known.
        about: Function without arguments that gives what the model is, a dictionary of the fields
            of `evaluation.about.About`; or `None` if nothing is known.

    Example:

    >>> predictor = Predictor.load("runs/fit/RUN")
    >>> predictor("I broke her favourite cup and said nothing.")["label"]
    'guilt'
    """

    def __init__(
        self,
        model: Model,
        *,
        name: str,
        temperature: float,
        preparation: dict,
        faithfulness: Mapping[str, str] | None = None,
        familiarity: Familiarity | None = None,
        thresholds: Callable[[], Mapping[str, Any]] | None = None,
        about: Callable[[], Mapping[str, Any]] | None = None,
    ):
        self.model = model
        self.name = name
        self.temperature = temperature
        self.preparation = preparation
        self.faithfulness = dict(faithfulness or {})
        self.familiarity = familiarity
        self._thresholds = thresholds and functools.cache(thresholds)
        self._about = about and functools.cache(about)

    @classmethod
    def load(cls, directory: str | Path, parallel: bool = False) -> "Predictor":
        """Loads a model; no code of its files is run.

        Args:
            directory: Folder of a finished run, or one that `emotion_keras.export` wrote.
            parallel: Whether several threads will ask at the same time. An exported model then
                answers each on a core of its own, up to `num_parallel` of them: many are answered
                sooner, and one alone later.

        Returns:
            A `Predictor`.

        Raises:
            UserError: If the folder holds neither, or lacks the model.
        """
        directory = Path(directory)
        if (directory / record.EXPORT).exists():
            return cls._load_exported(directory, parallel)
        if not directory.is_dir():
            raise UserError(
                f"There is no folder {directory}. Give the folder of a run, as "
                "`python -m emotion_keras.fit` named it at its end, or of an export."
            )
        run = record.read_run(directory)
        # Imported here because it takes seconds, which an exported model is spared.
        from emotion_keras.machine.quiet import quiet

        with quiet():
            from emotion_keras.evaluation.about import about_run
            from emotion_keras.evaluation.comparison import contender
            from emotion_keras.evaluation.coverage import read_judged, thresholds
            from emotion_keras.evaluation.faithfulness import in_words, read_faithfulness
            from emotion_keras.evaluation.predictions import read_groups, temperature_of
            from emotion_keras.inference.load import load_model

            model = load_model(directory)
        return cls(
            model,
            name=contender(run),
            temperature=temperature_of(run, directory),
            preparation=run["corpus"]["preparation"],
            faithfulness=in_words(read_faithfulness(directory), model.modality.unit_plural),
            familiarity=Familiarity.load(
                directory, model.modality, record.how_to_repeat(directory)
            ),
            thresholds=lambda: thresholds(read_judged(directory, run), read_groups(directory)),
            about=lambda: about_run(run, directory)._asdict(),
        )

    @classmethod
    def _load_exported(cls, directory, parallel):
        from emotion_keras.inference.exported import load_exported
        from emotion_keras.inference.onnx_model import AGAIN

        export = record.read_versioned(directory / record.EXPORT, {"format": str})
        if export["format"] != "onnx":
            raise UserError(
                f"{directory} holds a model in the format {export['format']}, which is for other "
                "software. Give a folder with an ONNX model, or the run's own folder."
            )
        export = record.read_versioned(directory / record.EXPORT, _EXPORT, _check_known)
        known, about = export.get("thresholds"), export.get("about")
        model = load_exported(directory, export, parallel)
        return cls(
            model,
            name=export["name"],
            temperature=export["temperature"],
            preparation=export["preparation"],
            faithfulness=export.get("faithfulness"),
            familiarity=Familiarity.load(directory, model.modality, AGAIN),
            thresholds=known and (lambda: known),
            about=about and (lambda: about),
        )

    @property
    def about(self) -> Mapping[str, Any]:
        """What the model is: the fields of `evaluation.about.About`; empty if nothing is known."""
        return {} if self._about is None else self._about()

    @property
    def singular(self) -> str:
        """What one example is called, such as `text`."""
        return self.model.modality.singular

    @property
    def plural(self) -> str:
        """What several examples are called, such as `texts`."""
        return self.model.modality.plural

    @property
    def unit_plural(self) -> str:
        """What the units are called that an explanation is about, such as `words`."""
        return self.model.modality.unit_plural

    @property
    def layout(self) -> str | dict[str, str]:
        """How the units lie; see `Input.layout`."""
        return self.model.modality.layout()

    @property
    def parts(self) -> tuple[type[Input], ...]:
        """The classes of its modalities, of which it may have several."""
        return self.model.modality.parts()

    @property
    def reads_files(self) -> bool:
        """Whether an example is the path of a file."""
        return self.model.modality.reads_files

    @property
    def samples(self) -> list[Any]:
        """A few examples, to try the model with; none where it has to be known what they are of."""
        if self.model.input is not None:
            return list(self.model.input.fitting_samples())
        return [] if self.model.modality.value_types else list(self.model.modality.samples)

    @property
    def rewrite(self) -> Callable[[str, str, float], float]:
        """The function that makes a plain file of an untrusted one; see `Input.rewrite`."""
        return self.model.modality.rewrite

    @property
    def labels(self) -> list[str]:
        """Names of the labels by class id."""
        return list(self.model.target.labels)

    @property
    def several(self) -> bool:
        """Whether several labels may hold of an example, or none."""
        return self.model.target.several

    @property
    def sequence_length(self) -> int | None:
        """Longest example in tokens that is read at once; `None` where there is no limit."""
        return None if self.model.input is None else self.model.input.sequence_length

    @property
    def can_be_unsure(self) -> bool:
        """Whether no label of the model is called as unsure answers are."""
        return UNSURE not in self.labels

    @property
    def num_parallel(self) -> int:
        """How many threads may ask at the same time."""
        return self.model.num_parallel

    @property
    def can_explain(self) -> bool:
        """Whether the model has a gate last, whose view of each word is exact."""
        return self.model.can_explain

    @overload
    def __call__(
        self,
        texts: str,
        *,
        explain: bool = ...,
        long: str = ...,
        min_confidence: float | None = ...,
    ) -> dict[str, Any]: ...
    @overload
    def __call__(
        self,
        texts: Iterable[Any],
        *,
        explain: bool = ...,
        long: str = ...,
        min_confidence: float | None = ...,
    ) -> list[dict[str, Any]]: ...
    def __call__(
        self,
        texts: str | Iterable[Any],
        *,
        explain: bool = False,
        long: str = "truncate",
        min_confidence: float | None = None,
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Answers one text, or many.

        Args:
            texts: String; or strings in a list, a tuple, a generator, a pandas Series or a NumPy
                array of one dimension. One that is missing (`None`, NaN, `pandas.NA`) is empty.
            explain: Whether to say what each word adds to the label's score.
            long: What becomes of a text of more than `sequence_length` tokens: `"truncate"` reads
                its beginning, `"split"` averages over windows, each weighted by its tokens.
            min_confidence: The confidence below which the label is `"unsure"`; see `mark_unsure`.

        Returns:
            Dictionary, or a list of them, of `label`; `confidence`, the label's probability;
            `probabilities` by label, temperature-scaled; `flag`, which is `"empty"` where the model
            finds no word to read: no letter, digit or emoji, or none that it knows (label,
            confidence and probabilities are `""`, `None` and `None`), `"truncated"`, `"split"` or
            `""`; with commas, what one of several modalities lacks, such as `"speech empty"`, and
            `"unfamiliar"`, where the text is unlike those that the model has learned from; and, if
            asked for, what `Explanation` holds: `words`, a list of dictionaries of `word`, `gate`
            and `contribution`; `rest`; and `score`, the sum of all contributions and the rest.
            Where several labels may hold, `labels` is the list of them, `label` the same with
            commas, or `(none)`; `confidence` is the probability that all of them are right, if
            they did not depend on each other; and `explained` is the most probable label, to whose
            score the words add.

        Raises:
            UserError: If these are no texts, or the model cannot explain, or not windows, or has a
                label that is called as unsure answers are.
        """
        modality = self.model.modality
        if isinstance(texts, str):
            return self([texts], explain=explain, long=long, min_confidence=min_confidence)[0]
        self._check(explain, long)
        cells = modality.prepare(_as_list(texts, modality), self.preparation)
        flaws = [modality.flaw(cell) for cell in cells]
        answers = [self._no_answer(flaw or modality.flaws[0], explain) for flaw in flaws]
        held = [i for i, flaw in enumerate(flaws) if not flaw]
        if held:
            for i, answer in self._answer([cells[i] for i in held], explain, long):
                answers[held[i]] = self._flagged(answer, cells[held[i]])
        return answers if min_confidence is None else self.mark_unsure(answers, min_confidence)

    def predict(self, texts: Iterable[Any], *, min_confidence: float | None = None) -> list[str]:
        """Labels of texts, a list; `""` of one without a word to read, and see `mark_unsure`."""
        answers = self(_as_list(texts, self.model.modality), min_confidence=min_confidence)
        return [answer["label"] for answer in answers]

    def predict_proba(self, texts: Iterable[Any]) -> np.ndarray:
        """Probabilities of texts, `(num_texts, num_classes)`; NaN of one without a word to read."""
        answers = self(_as_list(texts, self.model.modality))
        found = np.full((len(answers), len(self.labels)), np.nan)
        for row, answer in zip(found, answers, strict=True):
            if answer["probabilities"] is not None:
                row[:] = list(answer["probabilities"].values())
        return found

    def threshold_for(self, target_accuracy: float) -> Threshold:
        """The confidence from which on answers are as often right as is asked for.

        It is the smallest that surely reaches the accuracy on the validation split of the run.

        Args:
            target_accuracy: Float from 0 to 1.

        Returns:
            `Threshold`, with what came of it on the test split.

        Raises:
            UserError: If no threshold reaches the accuracy, the validation split is too small to
                say so, or nothing is known of the validation split.
        """
        if self._thresholds is None:
            raise UserError(
                "This export does not say how often its answers are right by confidence: an "
                "earlier version made it. Export the run again, or choose a threshold yourself "
                "with `--min-confidence`."
            )
        return choose_threshold(self._thresholds(), target_accuracy, self.plural)

    def mark_unsure(
        self, answers: Sequence[Mapping[str, Any]], min_confidence: float
    ) -> list[dict[str, Any]]:
        """Answers that say where the model is unsure.

        Args:
            answers: Dictionaries, as a call returns them.
            min_confidence: The confidence from which on an answer keeps its label.

        Returns:
            List of dictionaries: `label` is `"unsure"` where the confidence is below, and `guess`
            is the most probable label everywhere, or the several that hold. All else stays.

        Raises:
            UserError: If the model has a label of that name.
        """
        if not self.can_be_unsure:
            raise UserError(
                f"A label of this model is called {UNSURE!r}, as answers below a threshold would "
                "be. Leave the threshold out, and compare the confidence of its answers yourself."
            )
        return mark_unsure(answers, min_confidence)

    def why_unreadable(self, texts: list[str]) -> str:
        """Why the model cannot read strings that stand for what is no text; empty where it can."""
        modality = self.model.modality
        if not modality.value_types:
            return ""
        try:
            cells = _as_list(texts, modality)
            if self.model.input is not None:
                self.model.input.encode([cell for cell in cells if not modality.flaw(cell)])
        except UserError as error:
            return str(error)
        return ""

    def _check(self, explain, long):
        if long not in ("truncate", "split"):
            raise UserError(f"long is one of truncate, split. Received: long={long!r}")
        if explain and not self.can_explain:
            raise UserError(
                f"{self.name} cannot be explained: only a gate right before average pooling makes "
                "a score the exact sum over words. Take a gated_transformer with its defaults, a "
                "combination of such over one encoder, or leave out `--explain`."
            )
        if explain and long == "split":
            raise UserError(
                "What is averaged over windows is no sum over words: leave out `--explain`, or "
                "`--long split`."
            )

    def _no_answer(self, flaw, explain):
        answer = {"label": "", "confidence": None, "probabilities": None, "flag": flaw}
        if self.several:
            answer["labels"] = []
        if not explain:
            return answer
        named = {"explained": ""} if self.several else {}
        return answer | {"words": [], "rest": None, "score": None, **named}

    def _answer(self, cells, explain, long):
        """Yields the position of each cell that says something to the model, and the answer."""
        held, flags, outputs = self.model.read(cells, explain, long)
        if outputs is None:
            return
        target = self.model.target
        answers = target.answers(outputs.probabilities, self.temperature)
        explained = [{}] * len(held)
        if explain:
            read = [cells[i] for i in held]
            # What is explained is the label that is answered, which a temperature may change.
            class_ids = target.explained(target.scale(outputs.probabilities, self.temperature))
            found = explain_units(self.model.input, read, outputs, target, class_ids)
            explained = [explanation._asdict() for explanation in found]
            if self.several:
                for one, number in zip(explained, class_ids.tolist(), strict=True):
                    one["explained"] = target.labels[number]
        for i, answer, explanation in zip(held, answers, explained, strict=True):
            yield i, {**answer, "flag": flags[i], **explanation}

    def _flagged(self, answer, cell):
        """The answer, which says what the cell lacks, and if it is unlike the training split."""
        is_unfamiliar = self.familiarity is not None and self.familiarity.is_unfamiliar(cell)
        flags = [answer["flag"], self.model.modality.lacks(cell), "unfamiliar" * is_unfamiliar]
        return answer | {"flag": ", ".join(filter(None, flags))}


def _check_known(export):
    """Raises `UserError` if what an export may lack, made by earlier versions, is not as it was."""
    if "about" in export:
        about = {"summary": [str], "limits": [str], "language": (str, type(None))}
        record.check_types(export, {"about": about})
    record.check_types(export, {record.MEMBERS: [_MEMBER]} if record.MEMBERS in export else {})
    if "thresholds" not in export:
        return
    record.check_types(export, {"thresholds": {"examples": {"val": int}, "steps": list}})
    known = export["thresholds"]
    of_splits = dict.fromkeys(known["examples"], int)
    step = {"min_confidence": float, "accuracy": float, "answered": of_splits, "right": of_splits}
    record.check_types(known, {"examples": of_splits, "steps": [step]}, "thresholds")
    if not known["steps"]:
        raise UserError("thresholds.steps is empty")


def _as_list(texts, modality):
    """Texts of whatever kind as a list of cells, an empty one for each that is missing."""
    is_of_others = isinstance(texts, str | bytes | bytearray | Mapping | Set)
    if is_of_others or not isinstance(texts, Iterable) or not _is_list(texts, modality):
        raise UserError(
            "Texts are strings in a list, a tuple, a generator, a pandas Series or a NumPy array "
            "of one dimension. Of a table give the column of the texts, as in table['text']; of a "
            f"single text a list of one. Received: texts={_shown(texts)}"
        )
    return [_as_cell(text, i, modality) for i, text in enumerate(texts)]


def _is_list(texts, modality):
    """Whether it has one dimension, or where its items may be arrays, several."""
    # Tables of pandas and others that are no arrays have columns.
    num_dimensions = 0 if hasattr(texts, "columns") else getattr(texts, "ndim", 1)
    return num_dimensions == 1 or (num_dimensions > 1 and bool(modality.value_types))


def _as_cell(text, position, modality):
    if isinstance(text, str) and not modality.value_types:
        return text
    if isinstance(text, (str, *modality.value_types)):
        try:
            return modality.read(text)
        except UserError as error:
            raise UserError(f"The {modality.singular} at position {position}: {error}") from None
    # Whoever has pandas.NA has imported pandas.
    if text is None or text is getattr(sys.modules.get("pandas"), "NA", None):
        return ""
    if isinstance(text, float | np.floating) and np.isnan(text):
        return ""
    raise UserError(
        f"The text at position {position} is no string. Turn numbers into strings with str(), "
        f"and decode bytes. Received: {_shown(text)}"
    )


def _shown(value):
    return f"{' '.join(repr(value).split())[:60]} ({type(value).__name__})"
