"""Starter configs: `mmzoo init` infers the types of columns and writes a config that trains."""
