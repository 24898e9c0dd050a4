"""A worker with unsafe options refuses to start, with a sentence for each that says what to use."""

from __future__ import annotations

from celery.apps.worker import Worker
from django.conf import settings


def selfcheck(worker: Worker, *, batches: bool) -> None:
    """Raise SystemExit that lists what is unsafe; `batches` for a worker that hands photos to a batcher."""
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
            "and solo answers nobody while it works (celery #3768)."
        )
    if batches and settings.MAX_BATCH and worker.concurrency < settings.MAX_BATCH:
        found.append(
            f"Concurrency is {worker.concurrency}: a batch of SCALP_MAX_BATCH={settings.MAX_BATCH} can never fill. "
            "Use --concurrency of twice that."
        )
    elif batches and worker.concurrency < 2:
        found.append(
            "Concurrency is 1: no photo is prepared while another one is on the device. Use --concurrency of 2 or more."
        )
    if not conf.task_acks_late:
        found.append("Messages are acknowledged early, so a worker that dies loses them. Set task_acks_late.")
    if conf.worker_prefetch_multiplier != 1:
        found.append("It hoards messages that other workers could take. Set worker_prefetch_multiplier to 1.")
    if conf.task_time_limit or conf.task_soft_time_limit:
        found.append("The threads pool has no time limits (celery #10490). Unset them: the lease is the limit.")
    visibility = conf.broker_transport_options.get("visibility_timeout", 3600)
    if visibility <= settings.LEASE_SECONDS:
        found.append(
            f"The broker hands messages out again after {visibility:g} s, within a lease of "
            f"{settings.LEASE_SECONDS:g} s (celery #5935). Raise visibility_timeout."
        )
    if set(conf.accept_content) != {"json"}:
        found.append("It takes messages other than JSON, and pickles run code. Set accept_content to json only.")
    if not worker.task_events and not conf.worker_send_task_events:
        found.append("It sends no events, so Flower sees nothing. Use -E.")
    return found
