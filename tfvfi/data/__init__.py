"""Clips to patches to records to batches; and files of flow."""
