"""The standard fine-tuning of a BERT."""

from emotion_keras.errors import UserError
from emotion_keras.models.transformer import classify


def bert(embedded, *, num_classes: int, dropout: float = 0.1):
    """The pretrained encoder's own pooled output, dropout and a dense layer (Devlin et al. 2019).

    Args:
        embedded: `Embedded` of a pretrained encoder that has a pooled output.
        num_classes: Number of labels.
        dropout: Share of features dropped before the classifier.

    Returns:
        `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_classes)`.

    Raises:
        UserError: If the vectors come with no pooled output.
    """
    if embedded.pooled is None:
        raise UserError(
            "bert needs a pretrained encoder with a pooled output, which is trained with it: set "
            "`--encoder` to minilm, a BERT preset of keras-hub or a preset's folder, and do not "
            "freeze it."
        )
    return classify(embedded, embedded.pooled, num_classes, dropout)
