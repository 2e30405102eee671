"""How to go on after growing: ``train.toml``, the model card and the reasons for every number."""

from bootlaw.growth.onward.advice import advise
from bootlaw.growth.onward.facts import Known
from bootlaw.growth.onward.train_spec import TrainSpec, read_train_spec, train_toml

__all__ = ["Known", "TrainSpec", "advise", "read_train_spec", "train_toml"]
