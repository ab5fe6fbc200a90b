"""The baselines: models without a network, which say what a network has to beat.

A builder's keyword-only arguments are the model's hyperparameters; it returns an estimator of
scikit-learn from texts to probabilities.
"""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from emotion_keras.inputs.normalization import UNSPACED


def majority(seed):
    """Gives every text the frequencies of the labels in the training split."""
    return DummyClassifier(strategy="prior")


def tfidf_logistic(seed, *, C: float = 3.0):
    """Logistic regression on TF-IDF of words and pairs of words.

    Args:
        seed: Without effect: the solution does not depend on chance.
        C: Inverse strength of the regularization.
    """
    return make_pipeline(_words(), LogisticRegression(C=C, max_iter=1000))


def tfidf_svm(seed, *, C: float = 0.3):
    """A linear SVM on TF-IDF of words and of characters.

    Its decision values become probabilities by Platt's scaling, fitted on five held-out parts of
    the training split (Platt 1999).

    Args:
        seed: Decides the five parts, and the order in which the SVM goes through the texts.
        C: Inverse strength of the regularization.
    """
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    parts = StratifiedKFold(5, shuffle=True, random_state=seed)
    svm = CalibratedClassifierCV(LinearSVC(C=C, random_state=seed), cv=parts, ensemble=False)
    return make_pipeline(make_union(_words(), characters), svm)


# Words of two letters or more, as scikit-learn takes them; with the vowel signs of Indic scripts,
# which are no letters for Python. Of scripts without blanks each character is one.
_WORD = rf"(?u)[{UNSPACED}]|(?:(?![{UNSPACED}])[\w\u0900-\u0963\u0966-\u0dff]){{2,}}"


def _words():
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", token_pattern=_WORD
    )


BASELINES = {"majority": majority, "tfidf_logistic": tfidf_logistic, "tfidf_svm": tfidf_svm}
