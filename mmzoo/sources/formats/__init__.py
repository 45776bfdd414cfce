"""The file formats of the named data sets, read in memory and distrusted: a module each."""
