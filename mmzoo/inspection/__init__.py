"""The report of `check --data`: every row, the network's shapes, and the cost of a training."""
