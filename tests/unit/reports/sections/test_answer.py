import pytest

from emotion_keras.evaluation.scores import Score
from reports.claims import Claim
from reports.claims.verdicts import HOLDS, NOT_RUN, REFUTED, UNDECIDED
from reports.sections.answer import claims_in_words, reached_in_words


def claim(verdict, by_our_limit=False):
    return Claim("name", "", "", verdict, "", "", [], "", by_our_limit=by_our_limit)


@pytest.mark.parametrize(
    "claims, said",
    [
        ([], ""),
        ([claim(NOT_RUN)] * 2, "None of the paper’s 2 claims has been tested yet."),
        (
            [claim(REFUTED), claim(REFUTED, True), claim(UNDECIDED), claim(UNDECIDED, True)],
            "Of the paper’s 4 claims: 2 refuted (1 by a limit of ours), 2 undecided, 0 hold.",
        ),
        (
            [claim(REFUTED), claim(HOLDS), claim(NOT_RUN)],
            "Of the paper’s 3 claims: 1 refuted, 0 undecided, 1 holds, 1 not tested yet.",
        ),
        ([claim(HOLDS)] * 2, "Of the paper’s 2 claims: 0 refuted, 0 undecided, 2 hold."),
    ],
)
def test_the_head_counts_what_was_refuted_is_undecided_and_holds(claims, said):
    assert claims_in_words(claims) == said


def scores(accuracy, f1, auc):
    """Scores with intervals of one point either way."""
    names = {"accuracy": accuracy, "macro_f1": f1, "auc": auc}
    return {name: Score(x, x - 0.01, x + 0.01, 0.001) for name, x in names.items()}


@pytest.mark.parametrize(
    "found, said",
    [
        # The paper: 89.1, 88.3, 93.0.
        (scores(0.704, 0.703, 0.933), "its AUC is reached"),
        (scores(0.704, 0.703, 0.921), "its AUC is reached"),
        (scores(0.704, 0.703, 0.919), ""),
        (scores(0.9, 0.703, 0.99), "its accuracy and AUC are reached"),
        (scores(0.89, 0.88, 0.93), "its accuracy, F1 and AUC are reached"),
        ({"accuracy": Score(0.95, None, None, None)}, ""),
    ],
)
def test_the_head_says_which_numbers_of_the_paper_are_reached(found, said):
    assert reached_in_words(found) == said
