"""A first config for a table or a folder: what is in each column, and what fits that."""
