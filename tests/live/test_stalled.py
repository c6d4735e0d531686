"""A tab whose machine sleeps: its connection lives, and nobody reads."""

import pytest

from cells.live import outbox as outbox_module
from tests.live.conftest import LiveServer


async def test_a_tab_that_never_reads_again_is_cut_off(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "LINGER_SECONDS", 0.2)
    alice = await live.tab()
    sleeper = await live.connect(max_queue=1)
    await sleeper.open()
    sleeper.socket.transport.pause_reading()
    text = "x" * 30_000
    for number in range(400):  # 12 MB: more than the kernel's buffers and the outbox's bound
        await alice.put(number, 0, f"{number} {text}")
    await alice.until(
        lambda: any(sleeper.client_id in frame.get("gone", []) for frame in alice.frames)
    )
    sleeper.socket.transport.resume_reading()
    assert await sleeper.until_closed() == 1006
