"""Evaluation of networks: metrics, benchmarks and reports."""
