"""Samples, splits, pipelines and judgement of models: what is between a column and a model that can be believed."""
