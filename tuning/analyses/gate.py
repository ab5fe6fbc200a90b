"""Forms and places of the gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_keras.errors import UserError
from emotion_keras.inputs import AND, Input
from emotion_keras.models import MODELS
from emotion_keras.record.options import SHARE, option
from emotion_keras.studies.contenders import settings_for
from emotion_keras.training.defaults import defaults_for
from emotion_keras.training.settings import stage_classes
from tuning.analyses.base import Analysis, Made, Plan, Trial, choose, shares_above_0
from tuning.analyses.noise import measure_noise

# What is trained in place of the paper's gate, `features`, and of average pooling.
GATES = {
    "none": Trial("none", {}, "transformer"),
    "features": Trial("features", {}),
    "scalar": Trial("scalar", {"gate": "scalar"}),
    "linear_unit": Trial("linear_unit", {"gate": "linear_unit"}),
    "after_embeddings": Trial("after_embeddings", {"gate_after": "embeddings"}),
    "after_blocks": Trial("after_blocks", {"gate_after": "blocks"}),
    "attention_pooling": Trial("attention_pooling", {"pooling": "attention"}, "transformer"),
    "max_pooling": Trial("max_pooling", {"pooling": "max"}),
    "first_pooling": Trial("first_pooling", {"pooling": "first"}),
}


# Gates that are to leave a share of the words open; each is trained at several shares.
SELECTING = {
    "hard_concrete": {"gate": "hard_concrete"},
    "hard_concrete_after_embeddings": {"gate": "hard_concrete", "gate_after": "embeddings"},
    "first_reading": {"gate": "hard_concrete", "gate_after": "first_reading"},
    "closing_scalar": {"gate": "scalar"},
    "closing_features": {"gate": "features"},
}


@dataclass(frozen=True, kw_only=True)
class Gate(Analysis):
    """Trains with other forms and places of the gate, without it, and with other poolings."""

    forms: str = option(
        ",".join(GATES),
        "Names with commas between them: none; features, the paper's; scalar, one gate a token; "
        "linear_unit; after_embeddings and after_blocks, in models with so many blocks that it "
        "makes a difference; attention_pooling, by gated attention in place of the gate; "
        "max_pooling and first_pooling, with the paper's gate. Not unless named, and at each of "
        "`shares`: hard_concrete, a gate that closes after the last block, and "
        "hard_concrete_after_embeddings; first_reading, one that hides words from a second "
        "reading; closing_scalar and closing_features, whose mean a loss lowers.",
        is_basic=True,
    )
    shares: str = option(
        "0.8,0.5,0.3,0.2,0.1",
        "Shares of the words to keep, with commas between them, of the forms that select. Beside "
        "`features`, it is measured how often models are right on these words alone.",
        is_basic=True,
    )
    ratios: str = option(
        "1",
        "Shares of the training split to train on, with commas between them.",
        is_basic=True,
    )
    noise_level: float = option(
        0.0,
        "Level of each kind of noise that models of the whole training split are tested with, "
        "too; 0 for none.",
        SHARE,
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if there is no such form."""
        chosen = choose(self.forms, "forms", "form of the gate", GATES | SELECTING)
        shares = shares_above_0(self.shares, "shares")
        forms = [
            trial
            for name in chosen
            for trial in ([GATES[name]] if name in GATES else _at_shares(name, shares))
        ]
        ratios = shares_above_0(self.ratios, "ratios")
        return [_on_part(trial, ratio) for ratio in ratios for trial in forms]

    def noises(self, modality: type[Input]) -> list[tuple[str, float]]:
        """The pairs of a kind and a level to test with; see `Noise.noises`."""
        return [(name, self.noise_level) for name in modality.noises if self.noise_level]

    def possible(self, name: str, trials: Sequence[Trial], plan: Plan) -> list[Trial]:
        model, _, encoder = name.partition("@")
        gated = [one for one in MODELS if "gate" in stage_classes(one)["hyperparameters"].names()]
        if model not in gated:
            raise UserError(f"Only {', '.join(gated)} has a gate. Received: models={name!r}")
        chosen = defaults_for(model, encoder, modality=plan.modality) | settings_for(
            name, plan.settings
        )
        num_layers = chosen.get("num_layers", 2)
        same = [place for place, least in (("embeddings", 1), ("blocks", 2)) if num_layers < least]
        if left_out := [trial for trial in trials if trial.options.get("gate_after") in same]:
            plan.notify(
                f"{name} has {num_layers} blocks of its own. Left out, because it would be the "
                f"same as after the last: {', '.join(str(trial.value) for trial in left_out)}."
            )
        of_one = [
            trial
            for trial in trials
            if AND in plan.modality.name
            and (trial.options.get("pooling"), trial.options.get("gate_after"))
            in (("first", None), (None, "first_reading"))
        ]
        if of_one:
            plan.notify(
                f"{name}: {', '.join(str(trial.value) for trial in of_one)} left out, which "
                "several modalities do not have."
            )
        return [trial for trial in trials if trial not in [*left_out, *of_one]]

    def measure(self, found: dict[str, Any], made: Made, directory: Path, plan: Plan) -> None:
        from emotion_keras.data import read_dataset
        from tuning.selection import measure_selections, missing_selections

        on_all = {at: list(paths) for at, paths in made.items() if "%" not in str(at[1])}
        if wanted := self.noises(plan.modality):
            measure_noise([path for paths in on_all.values() for path in paths], wanted, plan)
        if left := missing_selections(on_all):
            dataset = read_dataset(plan.data, plan.cache, plan.notify)
            measure_selections(left, dataset, plan.notify)


def _at_shares(name, shares):
    """The trials of a form that selects."""
    return [Trial(f"{name} {s:g}", {**SELECTING[name], "keep": s}) for s in shares]


def _on_part(trial, ratio):
    """A trial on a part of the training split."""
    if ratio == 1:
        return trial
    options = {**trial.options, "train_fraction": ratio}
    return trial._replace(value=f"{trial.value}, {100 * ratio:g} % of the data", options=options)
