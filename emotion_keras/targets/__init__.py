"""What a model is to find out: kinds of label."""
