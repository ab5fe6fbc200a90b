"""What a model card says of purpose, limits and ethics, by modality and corpus."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from emotion_keras.inputs import modality_of
from emotion_keras.targets import target_of


class _Words(NamedTuple):
    """What is said of a modality.

    Args:
        examples: What the model labels, for people.
        makers: Who made the examples, beside the annotators.
        task: Name of the task at Hugging Face.
        ethics: Sentences about what the labels are and what the model is not for.
    """

    examples: str
    makers: str
    task: str
    ethics: tuple[str, ...]


_FAIRNESS = (
    "Emotions are named differently across cultures, languages, ages and people; errors fall on "
    "some more than on others"
)
_NOT_MEASURED = f"{_FAIRNESS}, and this was not measured."
_DECISIONS = (
    "Not for decisions about people, such as hiring, policing, credit, education or health, and "
    "not for watching people who have not agreed; laws restrict such uses in many places."
)
_BIOMETRIC = (
    "The European Union forbids to infer the emotions of people at work or in education from "
    "their voices, faces or other biometric data, but for medical or safety reasons (Regulation "
    "2024/1689, article 5), and asks for much elsewhere."
)
_OF_MODALITY = {
    "text": _Words(
        "short texts",
        "those who wrote it",
        "text-classification",
        (
            "The label is the emotion that a writer was asked to describe, or that an annotator "
            "chose, not what somebody feels: feelings cannot be read off a text.",
            _NOT_MEASURED,
            _DECISIONS,
            "Texts about emotions are personal data: keep them as such.",
        ),
    ),
    "speech": _Words(
        "recordings of speech",
        "those who spoke",
        "audio-classification",
        (
            "The label is the emotion that a speaker was asked to play, or that a listener heard, "
            "not what somebody feels: feelings cannot be read off a voice.",
            _NOT_MEASURED,
            _DECISIONS,
            _BIOMETRIC,
            "A recording of a voice tells who speaks: keep it as personal data.",
        ),
    ),
    "image": _Words(
        "pictures of faces",
        "those who are shown",
        "image-classification",
        (
            "The label is the emotion that somebody was asked to show, or that an annotator saw, "
            "not what somebody feels: feelings cannot be read off a face.",
            _NOT_MEASURED,
            _DECISIONS,
            _BIOMETRIC,
            "A picture of a face tells who it is: keep it as personal data.",
        ),
    ),
    "features": _Words(
        "measurements of people",
        "those who were measured",
        "tabular-classification",
        (
            "The label is the emotion that somebody was asked to show, or that an annotator chose, "
            "not what somebody feels: feelings cannot be read off numbers.",
            _NOT_MEASURED,
            _DECISIONS,
            _BIOMETRIC,
            "Measurements of faces, voices or bodies are personal data: keep them as such.",
        ),
    ),
}
_OF_CORPUS = {
    "isear": (
        "Its texts are answers to a questionnaire, short and in the first person; of chat, news, "
        "reviews or clinical notes nothing is known."
    ),
    "situations": (
        "Its texts are invented: they were written with the help of a language model, and no "
        "reader has checked their labels. Of what people write nothing is known, and its metrics "
        "are no results to report."
    ),
    "ravdess": (
        "Its recordings are acted: 24 professional actors from North America, 12 women and 12 men, "
        "spoke two sentences. Acted emotions are stronger and purer than felt ones; of spontaneous "
        "speech, of noise, of other languages, of children and of old people nothing is known."
    ),
    "emodb": (
        "Its recordings are acted: ten German actors spoke ten sentences in a studio. Of "
        "spontaneous speech and of other languages nothing is known."
    ),
    "crema_d": (
        "Its recordings are acted: 91 actors spoke twelve sentences in English. Of spontaneous "
        "speech and of other languages nothing is known."
    ),
    "fer2013": (
        "Its faces were found on the web by words for emotions, and are small and grey. People "
        "agree with its labels in about 65 of 100, and who is shown was not recorded."
    ),
}
# What the texts and recordings of a corpus are in, by code.
_LANGUAGES = {
    "isear": "en",
    "situations": "en",
    "ravdess": "en",
    "emodb": "de",
    "crema_d": "en",
}
_NAMES = {"en": "English", "de": "German"}
_INVENTED = ("situations",)


def purpose(run: dict[str, Any]) -> str:
    """What the model of a run, given by its record, is for: a sentence."""
    words = _words(run)
    return (
        f"Research and teaching: to label {words.examples} with emotions as the annotators of its "
        f"corpus, or {words.makers}, would, and to compare methods that do so."
    )


def limits(run: dict[str, Any]) -> list[str]:
    """What the model of a run, given by its record, cannot do, as a list of sentences."""
    modality = modality_of(run)
    article = "an" if modality.singular[0] in "aeiou" else "a"
    labels = (
        "It knows the labels it was trained with and no others, always gives one, and has no label "
        f"for {article} {modality.singular} without emotion."
    )
    if target_of(run).several:
        labels = (
            "It knows the labels it was trained with and no others. Where it gives none, another "
            "emotion may be there. It gives a label from a threshold on that was fitted on its "
            "validation split: where labels are rarer or more frequent, others fit better."
        )
    return [
        labels,
        "Confidence is no certainty: see the reliability before acting on it, and set a threshold "
        "on your own data.",
        "A difference between models that the test does not resolve may be chance.",
        about_corpus(run),
    ]


def several(run: dict[str, Any]) -> str:
    """What several labels mean to the model of a run, given by its record: a sentence."""
    modality = modality_of(run)
    article = "an" if modality.singular[0] in "aeiou" else "a"
    return f"Several may hold of {article} {modality.singular}, or none."


def about_corpus(run: dict[str, Any]) -> str:
    """Of what the model of a run, given by its record, has learned nothing: a sentence or two."""
    plural = modality_of(run).plural
    of_others = f"Of {plural} of another kind than those of its corpus nothing is known."
    return _OF_CORPUS.get(run["corpus"]["name"], of_others)


def is_invented(run: dict[str, Any]) -> bool:
    """Whether the examples of a run's corpus were written for this project."""
    return run["corpus"]["name"] in _INVENTED


def has_language(run: dict[str, Any]) -> bool:
    """Whether the examples of a run's corpus are in some language."""
    return any(part.name in ("text", "speech") for part in modality_of(run).parts())


def language_of(run: dict[str, Any]) -> str | None:
    """The code of the language of a run's corpus, such as `en`, or `None` if it is not known."""
    return _LANGUAGES.get(run["corpus"]["name"])


def language_name(run: dict[str, Any]) -> str | None:
    """The English name of the language of a run's corpus, or `None` if it is not known."""
    code = language_of(run)
    return None if code is None else _NAMES[code]


def ethics(run: dict[str, Any], attributes: Sequence[str] = ()) -> list[str]:
    """What the labels are, and what the model must not be used for.

    Args:
        run: Its record, a dictionary.
        attributes: Names of the attributes by which it was measured.

    Returns:
        List of sentences.
    """
    names = ", ".join(dict.fromkeys(attributes))
    measured = f"{_FAIRNESS}; by {names} this was measured, by nothing else."
    replaced = {_NOT_MEASURED: measured} if attributes else {}
    sentences = [replaced.get(sentence, sentence) for sentence in _words(run).ethics]
    if not target_of(run).several:
        return sentences
    return [one.replace("The label is the emotion", "A label is an emotion") for one in sentences]


def task(run: dict[str, Any]) -> str:
    """The name that Hugging Face has for what the model does."""
    return _words(run).task


def _words(run):
    # A modality that nobody has written about is said to be of measurements.
    measured = _OF_MODALITY["features"]
    of_parts = [_OF_MODALITY.get(part.name, measured) for part in modality_of(run).parts()]
    if len(of_parts) == 1:
        return of_parts[0]
    return _Words(
        " with ".join(words.examples for words in of_parts),
        "those who are in them",
        of_parts[0].task,
        tuple(dict.fromkeys(sentence for words in of_parts for sentence in words.ethics)),
    )
