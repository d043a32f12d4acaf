"""The Data page: the catalogue, one dataset, the steps of an import, external data."""
