"""Combinations of settings that leave a door open: a process that has one says which and does not start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

#: Ends of names that mean somebody only inside a network (RFC 6762, RFC 8375, ICANN's .internal, Kubernetes).
INSIDE = (".localhost", ".local", ".internal", ".home.arpa", ".svc", ".lan")


def settings_hold(
    *, debug: bool, https: bool, hosts: Sequence[str], proxies: int, broker: str, database: dict[str, object]
) -> None:
    """Raise ImproperlyConfigured with a sentence for each combination that is unsafe."""
    if unsafe := list(_unsafe(debug, https, hosts, proxies, broker, database)):
        raise ImproperlyConfigured(" ".join(unsafe))


def _unsafe(
    debug: bool, https: bool, hosts: Sequence[str], proxies: int, broker: str, database: dict[str, object]
) -> Iterator[str]:
    public = [host for host in hosts if not is_inside(host)]
    if debug and (public or https):
        yield (
            f"SCALP_DEBUG is true and the site is reached as {', '.join(public) or 'HTTPS'}: whoever meets an error "
            "would read settings and code. Unset SCALP_DEBUG."
        )
    if https and "*" in hosts:
        yield (
            "SCALP_ALLOWED_HOSTS has * beside SCALP_HTTPS: links in answers would lead wherever a request says. "
            "Name the site's hosts."
        )
    if https and not proxies:
        yield (
            "SCALP_HTTPS is true and SCALP_TRUSTED_PROXIES is 0: TLS ends in a proxy in front of us, whose word for "
            "the scheme and the sender would not be believed, so that all senders would be counted as one. "
            "Say how many proxies there are."
        )
    queue = urlsplit(broker)
    if queue.hostname and not queue.password and not is_inside(queue.hostname):
        yield (
            f"SCALP_BROKER_URL has no password for {queue.hostname}, which is no private address: anybody could "
            "ring, count and empty the queue. Write rediss://:PASSWORD@HOST."
        )
    server = str(database.get("HOST") or "")
    if server and not database.get("PASSWORD") and not server.startswith("/") and not is_inside(server):
        yield (
            f"SCALP_DATABASE_URL has no password for {server}, which is no private address. Write one in the URL or "
            "in SCALP_DATABASE_PASSWORD."
        )


def is_inside(host: str) -> bool:
    """Whether a host is this machine or somebody of a private network, as far as its name tells."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(name)
    except ValueError:
        # A name without a dot means somebody only where a resolver adds the rest: a container, a host of the house.
        return name not in {"", "*"} and ("." not in name or name.endswith(INSIDE))
    return address.is_private or address.is_loopback or address.is_link_local
