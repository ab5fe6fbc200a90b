"""The run record: what is on disk about a run. Standard library only.

`runs/<study>/<run_id>/` holds `run.json`, which is written last, so that its presence means that
the run is finished; `history.csv`, a row an epoch; `predictions.csv`, a row a text of the splits
`val` and `test`; of a corpus with groups or attributes `groups.csv`, whose each of these texts is
and which attributes it has; `audit.json`; `architecture.json`, the layers of a Keras model; where
weights are kept `model.keras` with its tokenizer, or `model.skops` of a model of scikit-learn; of
texts `familiar_words.json`, how often words stand in the training split. A run that is no trial of
a study of settings has `texts.csv`, the texts of the test split, too; of texts `words.csv`, the
words most telling of each label in the training split; and where the model's gate can be explained
`gates.csv`, a row a word of the test texts, `gate_words.csv`, the mean gate of frequent words, and
`faithfulness.csv`, whether predictions rest on the words that the gate and their contributions
point at. A run that combines others has their models in `members/`, a folder for each.

`evaluations/<name>/`, in the folder of a run or of an export, holds what its model says of another
corpus: `predictions.csv`, `groups.csv` as a run has it, and `evaluation.json`, written last.
"""

from emotion_keras.record.evaluations import (
    evaluations_directory,
    find_evaluations,
    is_evaluated,
    read_evaluation,
    write_evaluation,
)
from emotion_keras.record.files import (
    LFS_POINTER,
    check_archive,
    check_file,
    find_files,
    flush,
    link_file,
    loading,
    read_rows,
    remove_parts,
    write_json,
    write_rows,
)
from emotion_keras.record.names import (
    ARCHITECTURE,
    ATTRIBUTE,
    AUDIT,
    COMBINATION,
    ESTIMATOR,
    EVALUATION,
    EVALUATIONS,
    EXPORT,
    FAITHFULNESS,
    FAMILIAR,
    GATE_WORDS,
    GATES,
    GROUPS,
    HISTORY,
    MEMBERS,
    MODALITIES,
    MODEL,
    ONNX,
    PREDICTIONS,
    RUN,
    TEXTS,
    WORDS,
)
from emotion_keras.record.runs import (
    check_run,
    check_study,
    find_alike,
    find_runs,
    groups_path,
    has_model,
    how_to_repeat,
    is_finished,
    make_directory,
    model_sha256,
    predictions_path,
    read_run,
    resolve_run,
    run_directory,
    run_id,
    write_run,
)
from emotion_keras.record.schema import (
    SCHEMA_VERSION,
    check_types,
    read_versioned,
    write_versioned,
)

__all__ = [
    "ARCHITECTURE",
    "ATTRIBUTE",
    "AUDIT",
    "COMBINATION",
    "ESTIMATOR",
    "EVALUATION",
    "EVALUATIONS",
    "EXPORT",
    "FAITHFULNESS",
    "FAMILIAR",
    "GATES",
    "GATE_WORDS",
    "GROUPS",
    "HISTORY",
    "MEMBERS",
    "MODALITIES",
    "LFS_POINTER",
    "MODEL",
    "ONNX",
    "PREDICTIONS",
    "RUN",
    "SCHEMA_VERSION",
    "TEXTS",
    "WORDS",
    "check_archive",
    "check_file",
    "check_run",
    "check_study",
    "check_types",
    "evaluations_directory",
    "find_alike",
    "find_evaluations",
    "find_files",
    "find_runs",
    "flush",
    "groups_path",
    "has_model",
    "how_to_repeat",
    "is_evaluated",
    "is_finished",
    "link_file",
    "loading",
    "make_directory",
    "model_sha256",
    "predictions_path",
    "read_evaluation",
    "read_rows",
    "read_run",
    "read_versioned",
    "remove_parts",
    "resolve_run",
    "run_directory",
    "run_id",
    "write_evaluation",
    "write_json",
    "write_rows",
    "write_run",
    "write_versioned",
]
