"""The page of training: a model trained on a question, its result, comparisons, the registry, drift."""
