"""The service manager of every machine of the stand."""
