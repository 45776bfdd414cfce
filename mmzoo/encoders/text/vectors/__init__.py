"""Files of word vectors."""

from mmzoo.encoders.text.vectors.reading import WordVectors as WordVectors
from mmzoo.encoders.text.vectors.reading import read_vectors as read_vectors
