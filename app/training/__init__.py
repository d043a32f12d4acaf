"""The page of training: a question asked of a model, its result, comparisons, the registry, drift."""
