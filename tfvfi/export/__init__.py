"""SavedModels that an unmodified TensorFlow Serving loads, and a client for them."""
