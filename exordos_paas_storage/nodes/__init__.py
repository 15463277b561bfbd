"""Where an engine runs: the Node port, a local adapter, engine configuration."""
