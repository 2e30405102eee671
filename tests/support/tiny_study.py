"""The model and schedule of the smallest studies, in which a run takes a fraction of a second."""

TINY_MODEL = """
[model]
hidden_size = 8
layers = 1
head_size = 4
intermediate_size = 12
context = 16

[schedule]
peak_lr = 1e-2
warmup_steps = 2
batch_size = 4
"""
