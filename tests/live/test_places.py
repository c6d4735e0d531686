"""How many sockets one person, and one address, may have."""

from django.contrib.auth.models import User
from pytest_django import Settings

from tests.live.conftest import LiveServer, database


async def test_who_has_too_many_sockets_waits_for_one_to_close_and_others_do_not(
    live: LiveServer, settings: Settings
) -> None:
    settings.SOCKETS_PER_USER = settings.SOCKETS_PER_ADDRESS = 2
    alice, bob, carol = await database(
        lambda: [User.objects.create(username=name) for name in ("alice", "bob", "carol")]
    )
    for user, other in ((alice, bob), (None, carol)):
        first, _ = await live.tab(user=user), await live.tab(user=user)
        refused = await live.connect(user=user)
        assert await refused.until_closed() == 4429
        assert refused.socket.close_reason == (
            "too many sheets are open here; close some windows and try again"
        )
        await live.tab(user=other)
        await first.socket.close()
        await live.tab(user=user)
