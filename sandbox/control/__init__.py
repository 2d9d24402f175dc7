"""The control door: how a test or a demonstration moves the practice world. The client is `sandbox.Control`."""
