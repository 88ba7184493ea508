"""From weights to a SavedModel that a stock TensorFlow Serving loads, and a client that asks it."""
