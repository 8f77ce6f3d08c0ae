"""Metrics of Prometheus. Imported by `app` alone: every other part tells a `batchanator.domain.observing.Observer`."""
