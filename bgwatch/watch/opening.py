"""The watched folders of some settings, opened all or none."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from bgwatch.errors import printable
from bgwatch.settings import Settings
from bgwatch.watch.filing import Filing
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.places import places
from bgwatch.watch.watched import Watched

log = logging.getLogger("bgwatch")


def open_folders(
    settings: Settings, before: Sequence[Watched], ledger: Ledger, hint: Callable[[Path], None]
) -> list[Watched]:
    """Open the folders of settings, all or none.

    Parameters
    ----------
    settings : Settings
        Which and how.
    before : sequence of Watched
        Those that are open already; they lend their locks, and go on being counted.
    ledger : Ledger
        The memory of the daemon.
    hint : callable
        Called with every path that may have changed, from another thread.

    Raises
    ------
    FolderError
        When one is missing rights or is watched already; what was opened for these settings is closed again.
    """
    lent = {watched.inbox: watched for watched in before}
    taken: list[InboxLock] = []
    opened = []
    try:
        for folder in settings.folders:
            where = places(folder)
            if (known := lent.get(where.inbox)) and known.filing.where == where:
                known.filing.refuse_unusable()  # what has vanished is waited for, not made anew
            else:
                Filing(where).prepare(lambda place: log.info("created the folder %s", printable(str(place))))
            if known:
                lock = known.lock
            else:
                lock = InboxLock(where.inbox)
                taken.append(lock)
            opened.append(Watched(folder, lock, ledger, settings.rescan_seconds, settings.polling, hint))
    except BaseException:
        for lock in taken:
            lock.close()
        raise
    for watched in opened:
        if known := lent.get(watched.inbox):
            watched.outcomes.counts.update(known.outcomes.counts)
    return opened
