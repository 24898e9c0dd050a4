"""Unsafe combinations of settings: a process that has one names it and does not start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

#: Suffixes of names that resolve only inside a network (RFC 6762, RFC 8375, ICANN's .internal, Kubernetes).
PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa", ".svc", ".lan")


def refuse_unsafe_settings(
    *, debug: bool, https: bool, hosts: Sequence[str], proxies: int, broker: str, database: dict[str, object]
) -> None:
    """Raise ImproperlyConfigured with a sentence for each unsafe combination."""
    if unsafe := list(_unsafe(debug, https, hosts, proxies, broker, database)):
        raise ImproperlyConfigured(" ".join(unsafe))


def _unsafe(
    debug: bool, https: bool, hosts: Sequence[str], proxies: int, broker: str, database: dict[str, object]
) -> Iterator[str]:
    public = [host for host in hosts if not is_private_host(host)]
    if debug and (public or https):
        yield (
            f"SCALP_DEBUG is true and the site is public ({', '.join(public) or 'HTTPS'}): error pages would show "
            "settings and code. Unset SCALP_DEBUG."
        )
    if https and "*" in hosts:
        yield (
            "SCALP_ALLOWED_HOSTS has * although SCALP_HTTPS is true: clients could choose the host in generated links. "
            "List the hosts of the site."
        )
    if https and not proxies:
        yield (
            "SCALP_HTTPS is true and SCALP_TRUSTED_PROXIES is 0: the headers of the proxy that terminates TLS would be "
            "ignored, so all clients would share one rate limit. Set SCALP_TRUSTED_PROXIES to the number of proxies."
        )
    queue = urlsplit(broker)
    if queue.hostname and not queue.password and not is_private_host(queue.hostname):
        yield (
            f"SCALP_BROKER_URL has no password for {queue.hostname}, which is not a private address: anyone could "
            "read, fill and empty the queue. Write rediss://:PASSWORD@HOST."
        )
    server = str(database.get("HOST") or "")
    if server and not database.get("PASSWORD") and not server.startswith("/") and not is_private_host(server):
        yield (
            f"SCALP_DATABASE_URL has no password for {server}, which is not a private address. Set it in the URL or in "
            "SCALP_DATABASE_PASSWORD."
        )


def is_private_host(host: str) -> bool:
    """Whether a host is this machine or in a private network, judged by its name alone."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(name)
    except ValueError:
        # Names without a dot resolve only in local networks: containers, hosts in the same domain.
        return name not in {"", "*"} and ("." not in name or name.endswith(PRIVATE_SUFFIXES))
    return address.is_private or address.is_loopback or address.is_link_local
