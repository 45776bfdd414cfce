"""Pictures: figures, grids of examples, and what both draw."""
