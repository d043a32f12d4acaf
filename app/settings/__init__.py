"""The Settings page: configuration, health, processes."""
