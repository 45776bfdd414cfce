"""mmzoo: a Keras model zoo and a training command. One YAML file describes one experiment."""

__version__ = "0.1.0"
