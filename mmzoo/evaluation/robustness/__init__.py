"""How a model bears worse inputs."""
