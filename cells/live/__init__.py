"""One process's live sheets: asyncio on one side, services in threads on the other."""
