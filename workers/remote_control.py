"""What a worker does when it is asked through the broker: next to nothing.

Celery lets anyone who reaches the broker stop workers, revoke tasks, and read arguments and settings, among them URLs
with passwords. We stop workers by signals and cancel analyses by their rows, so nothing of that is needed. Flower
shows what is left.
"""

from __future__ import annotations

from typing import Any

from celery.worker.control import Panel

#: Commands that workers obey. `ping` is for health checks, the rest for Flower's list of workers.
OBEYED = frozenset({"active_queues", "ping", "registered", "stats"})


def limit_remote_control() -> None:
    """Ignore every other command, without a reply. To be called before the worker starts to consume."""
    report = Panel.data["stats"]

    def stats_without_broker(state: Any, **arguments: Any) -> dict[str, Any]:
        """The statistics without the broker: its address may contain a password (flower#1512)."""
        stats: dict[str, Any] = report(state, **arguments)
        stats.pop("broker", None)
        stats.get("consumer", {}).pop("broker", None)
        return stats

    Panel.data |= dict.fromkeys(Panel.data.keys() - OBEYED, _ignore)
    Panel.data["stats"] = stats_without_broker


def _ignore(_state: Any, **_arguments: Any) -> None:
    """A command that would answer with an error would fill the log whenever someone opens Flower."""
