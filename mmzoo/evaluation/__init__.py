"""What a trained model is worth: metrics, pictures, a report."""
