"""The baselines: models without a network, which say what a network has to beat.

Each is a class of options whose `build` makes an estimator of scikit-learn from cells to
probabilities; its `modalities` are those whose cells it takes, all where it is `None`. scikit-learn
is imported in `build`, so that what the options are is known without it.
"""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from emotion_keras.inputs.fusion import AND
from emotion_keras.inputs.normalization import UNSPACED
from emotion_keras.record.options import POSITIVE, Options, option

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator, TransformerMixin


# Of `modalities`: those that are fused.
SEVERAL = "several"


class Baseline(Protocol):
    """What the options of every baseline can do."""

    modalities: ClassVar[tuple[str, ...] | None]

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator."""


@dataclass(frozen=True, kw_only=True)
class Majority(Options):
    """Gives every example the frequencies of the labels in the training split."""

    modalities: ClassVar[tuple[str, ...] | None] = None

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator; the seed is without effect."""
        from sklearn.dummy import DummyClassifier

        return DummyClassifier(strategy="prior")


@dataclass(frozen=True, kw_only=True)
class TfidfLogistic(Options):
    """Logistic regression on TF-IDF of words and pairs of words."""

    modalities: ClassVar[tuple[str, ...] | None] = ("text",)

    C: float = option(3.0, "Inverse strength of the regularization.", POSITIVE)

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator.

        Args:
            seed: Without effect: the solution does not depend on chance.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        return make_pipeline(_words(), LogisticRegression(C=self.C, max_iter=1000))


@dataclass(frozen=True, kw_only=True)
class TfidfSVM(Options):
    """A linear SVM on TF-IDF of words and of characters.

    Its decision values become probabilities by Platt's scaling, fitted on five held-out parts of
    the training split (Platt 1999).
    """

    modalities: ClassVar[tuple[str, ...] | None] = ("text",)

    C: float = option(0.3, "Inverse strength of the regularization.", POSITIVE)

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator.

        Args:
            seed: Decides the five parts, and the order in which the SVM goes through the texts.
        """
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_pipeline, make_union
        from sklearn.svm import LinearSVC

        characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        parts = StratifiedKFold(5, shuffle=True, random_state=seed)
        svm = LinearSVC(C=self.C, random_state=seed)
        calibrated = CalibratedClassifierCV(svm, cv=parts, ensemble=False)
        return make_pipeline(make_union(_words(), characters), calibrated)


class _Logistic(Options):
    """Logistic regression on vectors, standardized."""

    C: float

    @staticmethod
    @abc.abstractmethod
    def vectors(modality: str) -> "TransformerMixin":
        """What makes vectors of the cells of a modality."""

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator.

        Args:
            seed: Without effect: the solution does not depend on chance.
            modality: Name of the modality of the cells.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        logistic = LogisticRegression(C=self.C, max_iter=5000)
        return make_pipeline(self.vectors(modality), StandardScaler(), logistic)


class _SVM(Options):
    """An SVM on vectors, standardized.

    Its decision values become probabilities as those of `TfidfSVM` do.
    """

    C: float

    @staticmethod
    @abc.abstractmethod
    def vectors(modality: str) -> "TransformerMixin":
        """What makes vectors of the cells of a modality."""

    def svm(self) -> "BaseEstimator":
        """The SVM, with a Gaussian kernel unless it is another."""
        from sklearn.svm import SVC

        return SVC(C=self.C)

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator.

        Args:
            seed: Decides the five parts that are held out for the probabilities.
            modality: Name of the modality of the cells.
        """
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        parts = StratifiedKFold(5, shuffle=True, random_state=seed)
        calibrated = CalibratedClassifierCV(self.svm(), cv=parts, ensemble=False)
        return make_pipeline(self.vectors(modality), StandardScaler(), calibrated)


def _own(modality):
    """The vectors of the one modality that a baseline takes."""
    from emotion_keras.models.fused_vectors import vectorizer_of

    return vectorizer_of(modality)


def _pixels(modality):
    from emotion_keras.models.image_statistics import Pixels

    return Pixels()


def _fused(modality):
    from emotion_keras.models.fused_vectors import FusedVectors

    return FusedVectors(modality)


@dataclass(frozen=True, kw_only=True)
class MfccLogistic(_Logistic):
    """Logistic regression on statistics of the MFCCs of a recording."""

    modalities: ClassVar[tuple[str, ...] | None] = ("speech",)
    vectors = staticmethod(_own)

    C: float = option(0.01, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class MfccSVM(_SVM):
    """An SVM with a Gaussian kernel on statistics of the MFCCs of a recording."""

    modalities: ClassVar[tuple[str, ...] | None] = ("speech",)
    vectors = staticmethod(_own)

    C: float = option(10.0, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class FeaturesLogistic(_Logistic):
    """Logistic regression on vectors of numbers; of several, on their mean."""

    modalities: ClassVar[tuple[str, ...] | None] = ("features",)
    vectors = staticmethod(_own)

    C: float = option(0.1, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class FeaturesSVM(_SVM):
    """An SVM with a Gaussian kernel on vectors of numbers; of several, on their mean."""

    modalities: ClassVar[tuple[str, ...] | None] = ("features",)
    vectors = staticmethod(_own)

    C: float = option(3.0, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class PixelsLogistic(_Logistic):
    """Logistic regression on the pixels of an image."""

    modalities: ClassVar[tuple[str, ...] | None] = ("image",)
    vectors = staticmethod(_pixels)

    C: float = option(0.0003, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class HogLogistic(_Logistic):
    """Logistic regression on histograms of oriented gradients of an image."""

    modalities: ClassVar[tuple[str, ...] | None] = ("image",)
    vectors = staticmethod(_own)

    C: float = option(0.001, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class HogSVM(_SVM):
    """A linear SVM on histograms of oriented gradients of an image."""

    modalities: ClassVar[tuple[str, ...] | None] = ("image",)
    vectors = staticmethod(_own)

    C: float = option(0.0001, "Inverse strength of the regularization.", POSITIVE)

    def svm(self) -> "BaseEstimator":
        from sklearn.svm import LinearSVC

        # With fewer images than features the dual problem would be the smaller one, and slower.
        return LinearSVC(C=self.C, dual=False)


@dataclass(frozen=True, kw_only=True)
class FusionLogistic(_Logistic):
    """Logistic regression on the vectors of all modalities, side by side."""

    modalities: ClassVar[tuple[str, ...] | None] = (SEVERAL,)
    vectors = staticmethod(_fused)

    C: float = option(0.01, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class FusionSVM(_SVM):
    """An SVM with a Gaussian kernel on the vectors of all modalities, side by side."""

    modalities: ClassVar[tuple[str, ...] | None] = (SEVERAL,)
    vectors = staticmethod(_fused)

    C: float = option(10.0, "Inverse strength of the regularization.", POSITIVE)


@dataclass(frozen=True, kw_only=True)
class LateLogistic(Options):
    """The mean of the probabilities that a logistic regression of each modality gives."""

    modalities: ClassVar[tuple[str, ...] | None] = (SEVERAL,)

    C: float = option(0.03, "Inverse strength of the regularization.", POSITIVE)

    def build(self, seed: int, modality: str = "text") -> "BaseEstimator":
        """Builds the estimator.

        Args:
            seed: Decides the parts on which what each modality counts is chosen.
            modality: Names of the modalities.
        """
        from emotion_keras.models.fused_vectors import LateFusion

        return LateFusion(modality, self.C, seed)


# Words of two letters or more, as scikit-learn takes them; with the vowel signs of Indic scripts,
# which are no letters for Python. Of scripts without blanks each character is one.
WORD = rf"(?u)[{UNSPACED}]|(?:(?![{UNSPACED}])[\w\u0900-\u0963\u0966-\u0dff]){{2,}}"


def _words():
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", token_pattern=WORD
    )


def one_for_each_label(estimator: "BaseEstimator") -> "BaseEstimator":
    """An estimator for several labels an example: what comes last in it is fitted to each label.

    Args:
        estimator: What a baseline builds, for one label an example.
    """
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import Pipeline, make_pipeline

    if not isinstance(estimator, Pipeline):
        return OneVsRestClassifier(estimator)
    *before, last = (step for _, step in estimator.steps)
    return make_pipeline(*before, OneVsRestClassifier(last))


BASELINES: dict[str, type[Baseline]] = {
    "majority": Majority,
    "tfidf_logistic": TfidfLogistic,
    "tfidf_svm": TfidfSVM,
    "mfcc_logistic": MfccLogistic,
    "mfcc_svm": MfccSVM,
    "pixels_logistic": PixelsLogistic,
    "hog_logistic": HogLogistic,
    "hog_svm": HogSVM,
    "features_logistic": FeaturesLogistic,
    "features_svm": FeaturesSVM,
    "fusion_logistic": FusionLogistic,
    "fusion_svm": FusionSVM,
    "late_logistic": LateLogistic,
}


def baselines_of(modality: str) -> list[str]:
    """Names of the baselines that take the cells of a modality, by its name."""
    kind_of_cells = SEVERAL if AND in modality else modality
    return [
        name
        for name, kind in BASELINES.items()
        if kind.modalities is None or kind_of_cells in kind.modalities
    ]
