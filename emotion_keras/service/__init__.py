"""The HTTP service of a trained model: needs a predictor, and no Keras."""
