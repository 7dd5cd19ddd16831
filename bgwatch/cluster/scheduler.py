"""The way to a Dask scheduler, found or not found within a few seconds, and without a word of Dask's own."""

import contextlib
import logging
import queue
import threading
import warnings
from typing import Any

from bgwatch.errors import FolderError

# seconds; together less than a daemon may take to end
CONNECTING = 3.0
WORKERS_COMING = 3.0
CLOSING = 2.0


def connected(address: str) -> Any:
    """Connect to a scheduler that has workers.

    Raises
    ------
    FolderError
        When there is none.
    """
    # its words are kept from the user: what they tell comes as an error or as an outcome
    warnings.filterwarnings("ignore", module=r"(dask|distributed|tornado)\b")
    try:
        import distributed
    except ImportError:
        raise FolderError("--scheduler needs dask.distributed; run: pip install 'bgwatch[cluster]'") from None
    _hush()
    if address.startswith("tls://"):
        _refuse_without_certificates(distributed.Security, address)
    found: queue.SimpleQueue[Any] = queue.SimpleQueue()
    given_up = threading.Event()

    def look() -> None:
        client = _looked_for(distributed.Client, address)
        if given_up.is_set() and not isinstance(client, FolderError):
            close(client)
        found.put(client)

    # in a thread, since what answers there and is no scheduler, or a halted one, keeps dask waiting for ever
    threading.Thread(target=look, daemon=True).start()
    try:
        client = found.get(timeout=CONNECTING + WORKERS_COMING + 1)
    except queue.Empty:
        given_up.set()
        raise FolderError(unreachable(address, "what answers there is no working Dask scheduler")) from None
    if isinstance(client, FolderError):
        raise client
    return client


def _looked_for(client_class: Any, address: str) -> Any:
    """Give a client, or the FolderError that tells why there is none."""
    try:
        client = client_class(address, timeout=CONNECTING, set_as_default=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no way to the scheduler
        return FolderError(unreachable(address, _cause(error)))
    try:
        client.wait_for_workers(1, timeout=WORKERS_COMING)
    except (OSError, TimeoutError):
        close(client)
        return FolderError(f"{address}: the scheduler has no workers; start some with: dask worker {address}")
    return client


def close(client: Any) -> None:
    """Close a client within a bounded time; it may be closing by itself, or have nobody to tell it to."""
    with contextlib.suppress(OSError, TimeoutError, AssertionError):
        client.close(timeout=CLOSING)


def _refuse_without_certificates(security: Any, address: str) -> None:
    """Tell what dask would tell by a TypeError, or not at all."""
    where = "set distributed.comm.tls in Dask's configuration or environment"
    try:
        context = security().get_connection_args("client")["ssl_context"]
    except (OSError, ValueError, TypeError) as error:
        raise FolderError(f"{address}: Dask's certificates cannot be used ({one_line(error)}); {where}") from None
    if context is None:
        raise FolderError(f"{address}: Dask's certificates are not set; {where}")


def unreachable(address: str, why: str = "") -> str:
    """Say that a scheduler cannot be reached."""
    found = f" ({why})" if why else ""
    return f"{address}: the scheduler cannot be reached{found}; check that it runs and that this machine may connect"


def _cause(error: Exception) -> str:
    """Tell why a connection was not made where that says more than that it was not made."""
    found = error.__cause__ or error
    return one_line(found) if "SSL" in str(found) or not isinstance(error, OSError) else ""


def one_line(error: BaseException) -> str:
    """Give what an error says, or its name, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _hush() -> None:
    for name in ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
