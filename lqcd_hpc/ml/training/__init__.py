"""Training of flows: losses, the loop, processes, checkpoints."""
