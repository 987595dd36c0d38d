"""Classification of texts without a pooler that was trained before: what RoBERTa, ELECTRA and DistilBERT have alike."""

from official import layers
from official.models.bert import Bert


class FirstTokenClassifier(Bert):
    """A BERT whose `sequence_classification` is a dense layer on the first token's state, and one for the labels."""

    WITH_POOLER = frozenset()
    CLASSIFIER_ACT: str  # Of the dense layer, whatever the activation of the blocks is.

    @property
    def classifier_dropout(self) -> tuple[float, float]:
        """Rates on what the dense layer reads, and on what it makes of it."""
        return self.config.hidden_dropout_prob, self.config.hidden_dropout_prob

    def make_sequence_classification(self):
        input_dropout, dropout_rate = self.classifier_dropout
        return layers.DenseClassificationHead(
            len(self.labels),
            self.config.hidden_size,
            self.CLASSIFIER_ACT,
            self.config.initializer_range,
            input_dropout=input_dropout,
            dropout_rate=dropout_rate,
            name="classification",
        )

    def call_sequence_classification(self, head, outputs, inputs, training):
        return {"logits": head(outputs["sequence_output"], training=training)}
