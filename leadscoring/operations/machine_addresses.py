"""The addresses that machines ask: whether a process lives, whether it is ready, and its figures."""

HEALTH, READINESS, METRICS = "/healthz", "/readyz", "/metrics"
MACHINE_ADDRESSES = (HEALTH, READINESS, METRICS)
