"""What Batchanator reaches, beside what its database and libraries allow. docs/benchmarks.md explains it."""
