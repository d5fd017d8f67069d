"""Nets: backbones, pooling, heads, input scaling."""
