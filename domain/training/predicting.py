"""What a model says on bars: a row a sample, whether its label is known or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from domain.params import build
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.inputs import Inputs
from domain.training.lacking import refuse_lacking
from domain.training.question import Question, strategy_of
from domain.training.samples import SampleSet, sample_set
from domain.training.seen import as_seen
from domain.training.targets import TargetParams


def predictions(question: Question, pipeline: FittedPipeline, inputs: Sequence[Inputs], engine: str = "native") -> pd.DataFrame:
    """``start`` (UTC), ``instrument`` where there are several, the outputs, on signals ``taken`` and ``size``, and ``in_sample``: whether the model may have seen the
    sample's label, or one that was not known yet. Later bars change no row: margins of quantiles follow labels that had ended, after the model's own."""
    refuse_lacking(pipeline.columns, inputs, question.data)
    sampled = unlabelled(question, inputs, pipeline)
    samples = as_seen(sampled, pipeline.columns)
    table = pipeline.predict(samples, engine)
    kept = [name for name in table if not str(name).startswith("raw_") and name != "start"]
    several = dict(instrument=np.array(sampled.instruments, object)[samples.instrument]) if len(sampled.instruments) > 1 else {}
    return pd.DataFrame({"start": pd.to_datetime(samples.start, utc=True), **several, **{name: table[name] for name in kept}, "in_sample": samples.start <= pipeline.until})


def unlabelled(question: Question, inputs: Sequence[Inputs], pipeline: FittedPipeline) -> SampleSet:
    """Samples of the columns that the model reads, those without a label too."""
    read = [replace(part, uses=tuple(use for use in part.uses if use.column in pipeline.columns)) for part in inputs]
    return sample_set(read, strategy_of(question), question.target, build(TargetParams, question.target_params), labelled=False)
