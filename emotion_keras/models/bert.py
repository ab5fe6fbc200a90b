"""The standard fine-tuning of a BERT."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emotion_keras.errors import UserError
from emotion_keras.record.options import PART, Options, option

if TYPE_CHECKING:
    import keras

    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.targets import Target


@dataclass(frozen=True, kw_only=True)
class BERT(Options):
    """The pretrained encoder's own pooled output, dropout and a dense layer.

    As in Devlin et al. (2019).
    """

    dropout: float = option(0.1, "Share of features dropped before the classifier.", PART)

    def build(
        self, embedded: "Embedded", target: "Target", dtype: str = "float32"
    ) -> "keras.Model":
        """Builds the model.

        Args:
            embedded: `Embedded` of a pretrained encoder that has a pooled output.
            target: `Target`, which ends the model.
            dtype: Name of the Keras dtype policy of its layers.

        Returns:
            `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_labels)`.

        Raises:
            UserError: If the vectors come with no pooled output.
        """
        from emotion_keras.models.blocks import end

        if embedded.pooled is None:
            raise UserError(
                "bert needs a pretrained encoder with a pooled output, which is trained with it, "
                "and only texts have one: set `--encoder` to minilm, mpnet, a BERT preset of "
                "keras-hub or a preset's folder, and do not freeze it."
            )
        return end(embedded, embedded.pooled, target, self.dropout, dtype)
