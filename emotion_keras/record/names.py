"""Names of the files that a run or an export leaves in its folder."""

RUN = "run.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"
GROUPS = "groups.csv"
# What its columns of attributes begin with, and those of a corpus's examples.
ATTRIBUTE = "attribute:"
AUDIT = "audit.json"
ARCHITECTURE = "architecture.json"
TEXTS = "texts.csv"
GATES = "gates.csv"
GATE_WORDS = "gate_words.csv"
FAMILIAR = "familiar_words.json"
FAITHFULNESS = "faithfulness.csv"
WORDS = "words.csv"
MODALITIES = "modalities.csv"
# What its columns of a modality begin with: the answer without it, and what it adds to the score.
WITHOUT, ADDED = "without:", "added:"
MODEL = "model.keras"
ESTIMATOR = "model.skops"
# The model of a run that combines others, which are its members: what its record calls them, and
# the folder of theirs.
COMBINATION = "combination"
MEMBERS = "members"
# In the folder of an exported model.
EXPORT = "export.json"
ONNX = "model.onnx"
# In the folder of a run or of an export: a folder for each corpus that it was evaluated on, and its
# record.
EVALUATIONS = "evaluations"
EVALUATION = "evaluation.json"
