import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cells.calc.engine import Formula, Position
from cells.calc.sandbox import Cause, EngineEnded, Sandbox

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MEBIBYTE = 2**20
SLOW = Formula("=CUMIPMT(0.01,1E9,1,1,1E9,0)")  # counts to a thousand million
# Doubles a text of 32,767 characters fifteen times.
LARGE = Formula(
    '=LET(a,REPT("x",32767),b,a&a,c,b&b,d,c&c,e,d&d,f,e&e,g,f&f,h,g&g,i,h&h,j,i&i,k,j&j,'
    "l,k&k,m,l&l,n,m&m,o,n&n,p,o&o,LEN(p))"
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(memory_bytes=200 * MEBIBYTE, seconds=1.0)
    yield made
    made.close()


def test_it_answers_as_the_engine_does(sandbox: Sandbox) -> None:
    sandbox.load({(0, 0): 2.0, (0, 1): Formula("=A1*10"), (0, 2): Formula('=A1&" é"')})
    assert (sandbox.evaluate(NOW), sandbox.volatile) == ({(0, 1): 20, (0, 2): "2 é"}, False)
    sandbox.set({(0, 0): 2.5, (0, 3): True, (0, 4): "x", (0, 5): Formula("=D1&E1&TODAY()")})
    assert sandbox.evaluate(NOW) == {(0, 1): 25, (0, 2): "2.5 é", (0, 5): "TRUEx46353"}
    assert sandbox.volatile
    assert {*sandbox.walk({(0, 0): Formula("=1/0")}, NOW)} == {(0, 0)}
    assert sandbox.evaluate(NOW) == {(0, 0): {"error": "#DIV/0!"}}


@pytest.mark.parametrize(
    ("formula", "cause"), [(SLOW, Cause.TIME), (LARGE, Cause.MEMORY)], ids=["slow", "large"]
)
def test_a_process_that_takes_too_much_is_ended_and_reaped(
    sandbox: Sandbox, formula: Formula, cause: Cause
) -> None:
    sandbox.load({(0, 0): formula})
    with pytest.raises(EngineEnded) as raised:
        sandbox.evaluate(NOW)
    assert raised.value.cause is cause
    assert not sandbox.is_alive
    with pytest.raises(ProcessLookupError):
        os.kill(sandbox.pid, 0)
    with pytest.raises(EngineEnded):
        sandbox.evaluate(NOW)
    sandbox.close()


def test_a_walk_stops_at_the_formula_that_did_it(sandbox: Sandbox) -> None:
    cells = {(0, 0): Formula("=C1"), (0, 1): Formula("=1"), (0, 2): SLOW, (0, 3): Formula("=2")}
    seen: list[Position] = []
    with pytest.raises(EngineEnded):
        seen.extend(sandbox.walk(cells, NOW))  # what comes before the error stays in the list
    assert seen[-1] == (0, 2)


def test_a_process_that_was_killed_is_noticed(sandbox: Sandbox) -> None:
    sandbox.load({(0, 0): Formula("=1")})
    os.kill(sandbox.pid, signal.SIGKILL)
    with pytest.raises(EngineEnded) as raised:
        sandbox.evaluate(NOW)
    assert raised.value.cause is Cause.CRASH


def test_ctrl_c_is_for_the_parent(sandbox: Sandbox) -> None:
    sandbox.load({(0, 0): Formula("=1+1")})
    os.kill(sandbox.pid, signal.SIGINT)
    assert sandbox.evaluate(NOW) == {(0, 0): 2}


def test_it_knows_no_secrets_and_stands_back(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    made = Sandbox(memory_bytes=200 * MEBIBYTE, seconds=5)
    try:
        made.load({})
        if sys.platform == "linux":
            environment = Path(f"/proc/{made.pid}/environ").read_bytes()
            names = {part.split(b"=")[0] for part in environment.split(b"\0") if part}
            assert names <= {b"PATH", b"LD_LIBRARY_PATH"}
        assert os.getpriority(os.PRIO_PROCESS, made.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    finally:
        made.close()


def test_it_ends_with_its_parent() -> None:
    parent = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import os\n"
            "from cells.calc.sandbox import Sandbox\n"
            "made = Sandbox(memory_bytes=2**28, seconds=5)\n"
            "made.load({})\n"
            "print(made.pid, flush=True)\n"
            "os._exit(0)",
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    pid = int(parent.stdout)
    for _ in range(10_000):  # its end takes the time that it takes to notice, and no more
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if sys.platform == "linux" and "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return  # ended; whoever adopted it has not looked yet
        os.sched_yield()
    pytest.fail("the process lives on")


def test_its_process_loads_neither_django_nor_the_engine_into_the_parent() -> None:
    code = (
        "import sys, cells.calc.calculator\n"
        "assert 'formualizer' not in sys.modules and 'django' not in sys.modules\n"
        "import cells.calc.engine_process\n"
        "assert 'formualizer' in sys.modules and 'django' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
