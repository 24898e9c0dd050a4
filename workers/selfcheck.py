"""Refuses to start a worker with unsafe options, and says for each what to use instead."""

from __future__ import annotations

from celery.apps.worker import Worker
from django.conf import settings


def selfcheck(worker: Worker, *, batches: bool) -> None:
    """Raise SystemExit that lists unsafe options; `batches` for a worker with a batcher."""
    unsafe = list(_unsafe(worker, batches=batches))
    if unsafe:
        raise SystemExit("This worker does not start:\n" + "\n".join(f"- {sentence}" for sentence in unsafe))


def _unsafe(worker: Worker, *, batches: bool) -> list[str]:
    conf = worker.app.conf
    found = []
    pool = worker.pool_cls.__module__
    if not pool.endswith(".thread"):
        found.append(
            f"The pool is {pool}. Use --pool threads: forked processes break CUDA (pytorch #40403), "
            "and solo does not answer while it works (celery #3768)."
        )
    if batches and settings.MAX_BATCH and worker.concurrency < settings.MAX_BATCH:
        found.append(
            f"Concurrency is {worker.concurrency}: a batch of SCALP_MAX_BATCH={settings.MAX_BATCH} can never be full. "
            "Use --concurrency with twice that."
        )
    elif batches and worker.concurrency < 2:
        found.append(
            "Concurrency is 1: no photo is prepared while another is on the device. Use --concurrency 2 or more."
        )
    if not conf.task_acks_late:
        found.append("Messages are acknowledged early, so they are lost if the worker dies. Set task_acks_late.")
    if conf.worker_prefetch_multiplier != 1:
        found.append("Messages are prefetched that other workers could take. Set worker_prefetch_multiplier to 1.")
    if conf.task_time_limit or conf.task_soft_time_limit:
        found.append("The threads pool ignores time limits (celery #10490). Unset them: the lease is the limit.")
    visibility = conf.broker_transport_options.get("visibility_timeout", 3600)
    if visibility <= settings.LEASE_SECONDS:
        found.append(
            f"The broker redelivers messages after {visibility:g} s, within a lease of "
            f"{settings.LEASE_SECONDS:g} s (celery #5935). Raise visibility_timeout."
        )
    if set(conf.accept_content) != {"json"}:
        found.append("Messages other than JSON are accepted, and pickles run code. Set accept_content to json only.")
    if not worker.task_events and not conf.worker_send_task_events:
        found.append("No events are sent, so Flower shows nothing. Use -E.")
    return found
