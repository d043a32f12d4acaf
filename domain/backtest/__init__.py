"""The execution model: one compiled kernel and what feeds it. Text: docs/execution.md."""
