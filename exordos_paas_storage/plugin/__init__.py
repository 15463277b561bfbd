"""The service as a plugin of the Exordos MetaPaaS control plane."""
