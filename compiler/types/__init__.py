"""The type lattice, and the readers that fill it: BTF, tracepoint formats, kernel snapshots."""
