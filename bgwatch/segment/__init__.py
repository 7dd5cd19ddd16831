"""Pixels to alpha: one file a step, numpy in and out; ``pipeline`` puts the steps together."""
