"""`mmzoo generate`: images, texts and other values that a trained model generates."""
