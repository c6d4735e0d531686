"""How often signing in may fail: by account and network, counted in the database for all processes.

Nobody is kept out for long, and nobody by strangers from where they have signed in before.
"""

import logging
import unicodedata
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac

from cells.models import SignInTries, TriesOf
from cells.services.audit import PROJECT, Action, Actor, note
from cells.services.people import find_by_username
from cells.services.quotas import household

logger = logging.getLogger(__name__)

WINDOW = timedelta(minutes=15)  # from the first failure on; then all is forgotten
KNOWN = timedelta(days=90)  # how long a network counts as one where an account signs in
MOST_FAILURES = {  # in a window
    TriesOf.PAIR: 10,
    TriesOf.NETWORK: 100,  # an office or a school may share one
    TriesOf.ACCOUNT: 50,  # from networks where it has never signed in, all together
}


def begin_try(account: str, address: str) -> int:
    """Count one more try before its password is looked at; return 0, or seconds to wait.

    Counted first, so that tries at the same moment are not all let through; end_well gives it
    back. Where an account has signed in lately, what others do to it or to the network counts
    for nothing.
    """
    network = household(address)
    pair, whole = _key(TriesOf.PAIR, account, network), _key(TriesOf.ACCOUNT, account)
    is_known = SignInTries.objects.filter(
        key=pair, signed_in_at__gt=timezone.now() - KNOWN
    ).exists()
    by_network = _count(_key(TriesOf.NETWORK, network), TriesOf.NETWORK, network=network)
    if by_network.failures == 1:
        _forget_old()
    if not is_known and (wait := _wait(by_network)):
        return wait
    user = find_by_username(account)
    user_id = None if user is None else user.pk
    if wait := _wait(_count(pair, TriesOf.PAIR, network=network, user_id=user_id)):
        return wait  # no password is looked at, so that the account need not be guarded from it
    by_account = _count(whole, TriesOf.ACCOUNT, user_id=user_id)
    return 0 if is_known else _wait(by_account)


def end_well(account: str, address: str) -> None:
    """Take a try back: somebody is signed in."""
    network = household(address)
    SignInTries.objects.filter(key=_key(TriesOf.PAIR, account, network)).update(
        failures=0, signed_in_at=timezone.now()
    )
    for key in (_key(TriesOf.NETWORK, network), _key(TriesOf.ACCOUNT, account)):
        SignInTries.objects.filter(key=key, failures__gt=0).update(failures=F("failures") - 1)


def let_in_again(tries: QuerySet[SignInTries], by: Actor = PROJECT) -> int:
    """Forget these failures; return how many lines that changed."""
    forgotten = 0
    for line in tries.filter(failures__gt=0).select_related("user"):
        with transaction.atomic():
            if SignInTries.objects.filter(pk=line.pk, failures__gt=0).update(failures=0):
                user = "" if line.user is None else line.user.get_username()
                told = {"tries_of": line.tries_of, "user": user, "network": line.network}
                note(Action.LET_IN_AGAIN, by, None, **told, failures=line.failures)
                forgotten += 1
    return forgotten


def _count(
    key: str, tries_of: TriesOf, *, network: str = "", user_id: int | None = None
) -> SignInTries:
    now = timezone.now()
    is_over = Q(since__lte=now - WINDOW)
    tries = SignInTries.objects.filter(key=key)
    new = SignInTries(key=key, tries_of=tries_of, network=network, user_id=user_id, since=now)
    # Each a statement for one row, so that of tries at the same moment none is lost and none waits
    # for another's lock. Again where somebody has just forgotten the row as an old one.
    while True:
        SignInTries.objects.bulk_create([new], ignore_conflicts=True)
        if tries.update(
            failures=Case(When(is_over, then=Value(1)), default=F("failures") + 1),
            since=Case(When(is_over, then=Value(now)), default=F("since")),
        ):
            break
    counted = tries.get()
    if counted.failures == MOST_FAILURES[tries_of] + 1:
        who = network or f"user {user_id}"
        logger.warning("too many failures to sign in: %s, %s", TriesOf(tries_of).label, who)
    return counted


def _wait(tries: SignInTries) -> int:
    if tries.failures <= MOST_FAILURES[TriesOf(tries.tries_of)]:
        return 0
    return max(1, int((tries.since + WINDOW - timezone.now()).total_seconds()))


def _forget_old() -> None:
    now = timezone.now()
    is_strange = Q(signed_in_at=None) | Q(signed_in_at__lt=now - KNOWN)
    SignInTries.objects.filter(is_strange, since__lte=now - WINDOW).delete()


def _key(tries_of: TriesOf, *parts: str) -> str:
    normal = [unicodedata.normalize("NFKC", part).casefold() for part in parts]
    digest = salted_hmac("cells.sign_ins", "\0".join(normal), algorithm="sha256").hexdigest()
    return f"{tries_of}.{digest}"
