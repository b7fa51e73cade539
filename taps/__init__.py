"""Taps: one self-contained file each, to be copied beside a program in PyTorch, Keras or JAX."""
