"""The Python side of the benchmark: the guest that is compared, and the caller of both."""
