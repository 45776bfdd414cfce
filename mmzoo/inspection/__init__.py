"""A look at all that a training would meet: its data, row by row, its network, what it costs."""
