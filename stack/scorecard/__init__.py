"""Compare what the models found with what the simulator knows to be true, outside the pipeline."""
