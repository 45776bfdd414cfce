"""Evaluation of trained models: metrics, comparisons, plots and reports."""
