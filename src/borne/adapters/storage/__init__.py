"""What a station keeps on its disk: sessions, the queue of
transaction messages, lists, accounts, state and the security log, in SQLite."""

from borne.adapters.storage.database import StorageClosed
from borne.adapters.storage.folder import StorageUnavailable
from borne.adapters.storage.open_files import OpenFiles
from borne.adapters.storage.opening import open_storage

__all__ = ["OpenFiles", "StorageClosed", "StorageUnavailable", "open_storage"]
