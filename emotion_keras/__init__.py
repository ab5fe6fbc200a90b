"""Emotion classification from text with a gated Transformer, on every Keras backend.

Importing this package loads no backend; the commands are its modules:
`python -m emotion_keras.fit --help`.
"""

__version__ = "0.1.0"
