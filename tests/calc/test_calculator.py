"""One bad formula, and the others: with a real engine in a real process."""

import logging
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from cells.calc.calculator import MAX_CULPRITS, CalculationFailed, Calculator
from cells.calc.engine import Content, Position, Value, content_of
from cells.domain.addresses import parse_address

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MEBIBYTE = 2**20

SLOW = "=CUMIPMT(0.01,1E9,1,1,1E9,0)"  # counts to a thousand million
DEEP_LET = (
    '=LET(a,REPT("x",32767),b,a&a,c,b&b,d,c&c,e,d&d,f,e&e,g,f&f,h,g&g,i,h&h,j,i&i,k,j&j,'
    "l,k&k,m,l&l,n,m&m,o,n&n,p,o&o,LEN(p))"
)
GROWTH = "=LEN(" + "SUBSTITUTE(" * 6 + 'REPT("a",30000)' + ',"a",REPT("a",1000))' * 6 + ")"
PARENTHESES = "=" + "(" * 4_000 + "1" + ")" * 4_000
LARGE_ARRAY = "=SUM(SEQUENCE(1000000)^0.5+SEQUENCE(1000000)^2)"


def cells_of(inputs: dict[str, str]) -> dict[Position, Content]:
    return {parse_address(address): content_of(text) for address, text in inputs.items()}


class Sheet:
    def __init__(self, calculator: Calculator) -> None:
        self.calculator = calculator

    def load(self, inputs: dict[str, str]) -> dict[str, Value]:
        self.calculator.load(cells_of(inputs))
        return self.evaluate()

    def edit(self, inputs: dict[str, str]) -> dict[str, Value]:
        self.calculator.set(cells_of(inputs))
        return self.evaluate()

    def evaluate(self) -> dict[str, Value]:
        found = self.calculator.evaluate(NOW)
        return {f"{chr(65 + column)}{row + 1}": value for (row, column), value in found.items()}


@pytest.fixture
def make_sheet() -> Iterator[Callable[..., Sheet]]:
    made: list[Calculator] = []

    def make(seconds: float = 1.0, memory_bytes: int = 200 * MEBIBYTE) -> Sheet:
        calculator = Calculator(name="budget", seconds=seconds, memory_bytes=memory_bytes)
        made.append(calculator)
        return Sheet(calculator)

    yield make
    for calculator in made:
        calculator.close()


def reason_of(value: Value, error: str) -> str:
    assert isinstance(value, dict)
    assert value["error"] == error
    return value["reason"]


def test_values_come_as_they_change(make_sheet: Callable[..., Sheet]) -> None:
    sheet = make_sheet()
    assert sheet.load({"A1": "2", "B1": "=A1*10", "C1": "=5"}) == {"B1": 20, "C1": 5}
    assert sheet.edit({"A1": "3"}) == {"B1": 30}
    assert sheet.edit({"A1": ""}) == {"B1": 0}
    assert sheet.edit({"C1": "=2+3"}) == {"C1": 5}
    assert sheet.load({"C1": "=2+3"}) == {"C1": 5}
    assert sheet.calculator.volatile is False
    sheet.edit({"D1": "=NOW()"})
    assert sheet.calculator.volatile is True


@pytest.mark.parametrize(
    ("bomb", "error", "words"),
    [
        (SLOW, "#LIMIT!", "more than 1 s"),
        (DEEP_LET, "#LIMIT!", "more than 200 MB"),
        (GROWTH, "#LIMIT!", "more than 200 MB"),
        (LARGE_ARRAY, "#LIMIT!", "more than 1 s|more than 200 MB"),
        (PARENTHESES, "#ERROR!", "nested"),
        ("=1" + "+1" * 4_096, "#ERROR!", "8,192"),
    ],
    ids=["slow", "deep let", "growth", "large array", "parentheses", "long"],
)
def test_a_bomb_is_left_out_and_its_neighbours_are_calculated(
    make_sheet: Callable[..., Sheet],
    caplog: pytest.LogCaptureFixture,
    bomb: str,
    error: str,
    words: str,
) -> None:
    sheet = make_sheet()
    sheet.load({"A1": "1", "B1": "=A1+1"})
    with caplog.at_level(logging.WARNING):
        values = sheet.edit({"A1": "2", "C1": bomb, "D1": "=C1+1", "E1": "=A1*5"})
    assert any(word in reason_of(values["C1"], error) for word in words.split("|"))
    assert reason_of(values["D1"], error)
    assert (values["B1"], values["E1"]) == (3, 10)
    assert bomb not in caplog.text
    if error == "#LIMIT!":
        assert "sheet=budget cells=C1 " in caplog.text
    pid = sheet.calculator.pid
    assert sheet.edit({"A1": "3"}) == {"B1": 4, "E1": 15}
    assert sheet.calculator.pid == pid  # it is not tried again until it is edited
    assert sheet.edit({"C1": "=A1"}) == {"C1": 3, "D1": 4}


@pytest.mark.parametrize(
    "bomb",
    [
        "=SUMPRODUCT(A:A*B:B*A:A*B:B)",
        "=SUM(A:Z*1)",
        "=SUMPRODUCT((A1:A1000000=1)*(B1:B1000000=2))",
        "=SUM(SEQUENCE(1048576,16384))",
        '=REPT("a",1000000000)',
        "=SUM(MMULT(A1:B9,A1:I2))",
        "=COMBIN(1E15,5E14)+FACT(1E9)",
        "=NETWORKDAYS(1,2958465)",
        "=" + "IF(1," * 60 + "1" + ",0)" * 60,
        "=" + "-" * 8_000 + "1",
    ],
    ids=lambda text: text[:30],
)
def test_what_looks_like_a_bomb_and_is_none_ends_too(
    make_sheet: Callable[..., Sheet], bomb: str
) -> None:
    sheet = make_sheet(seconds=5, memory_bytes=400 * MEBIBYTE)
    inputs = {f"{column}{row}": str(row) for column in "AB" for row in range(1, 500)}
    values = sheet.load({**inputs, "AC1": "=A2*2", "AD1": bomb} | {"C1": "=A2*2", "Z9": "=1+1"})
    assert (values["C1"], values["Z9"]) == (4, 2)


def test_several_bombs_at_once_are_all_found(make_sheet: Callable[..., Sheet]) -> None:
    sheet = make_sheet()
    inputs = {f"A{row}": f"={row}" for row in range(1, 51)}
    bombs = {"B7": DEEP_LET, "B20": SLOW, "B33": GROWTH, "B40": PARENTHESES}
    chain = {"C1": "=B7", "C2": "=SUM(A1:A50)", "C3": "=SUM(B1:B50)"}
    values = sheet.load({**inputs, **bombs, **chain})
    stopped = {name for name, value in values.items() if isinstance(value, dict)}
    assert stopped == {"B7", "B20", "B33", "B40", "C1", "C3"}
    assert values["C2"] == 1275


def test_more_bombs_than_are_looked_for_go_together_with_what_came_with_them(
    make_sheet: Callable[..., Sheet],
) -> None:
    sheet = make_sheet()
    sheet.load({"A1": "1", "A2": "=A1+1"})
    bombs = {f"B{row}": DEEP_LET for row in range(1, MAX_CULPRITS + 4)}
    values = sheet.edit({**bombs, "A1": "2", "C1": "=A1"})
    assert values["A2"] == 3
    assert all("MB" in reason_of(values[name], "#LIMIT!") for name in bombs)
    assert "Together" in reason_of(values["C1"], "#LIMIT!")
    assert sheet.edit({"C1": "=A1"}) == {"C1": 2}


def test_formulas_that_are_too_slow_only_together_lose_the_slowest(
    make_sheet: Callable[..., Sheet],
) -> None:
    sheet = make_sheet(seconds=0.5)
    slow = {f"A{row}": f"=CUMIPMT(0.01,3E7+{row},1,1,3E7,0)" for row in range(1, 31)}
    values = sheet.load({**slow, "D1": "=1+1"})
    assert values["D1"] == 2
    stopped = [
        name
        for name, value in values.items()
        if isinstance(value, dict) and value["error"] == "#LIMIT!"
    ]
    assert stopped
    assert len(stopped) < len(slow)


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGABRT])
def test_an_engine_that_dies_by_itself_is_replaced_and_nobody_is_blamed(
    make_sheet: Callable[..., Sheet], signal_: signal.Signals
) -> None:
    sheet = make_sheet(seconds=5)
    sheet.load({"A1": "1", "B1": "=A1+1", "C1": "=B1*2"})
    before = sheet.calculator.pid
    assert before is not None
    os.kill(before, signal_)
    assert sheet.edit({"A1": "2"}) == {"B1": 3, "C1": 6}
    assert sheet.calculator.pid != before


def test_an_engine_that_is_killed_at_work_is_replaced(make_sheet: Callable[..., Sheet]) -> None:
    sheet = make_sheet(seconds=20)
    sheet.load({"A1": "1", "B1": "=A1+1"})
    pid = sheet.calculator.pid
    assert pid is not None
    # Whenever it comes: before the evaluation, within it or after it.
    killer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    killer.start()
    values = sheet.edit({"A1": "2", "C1": "=CUMIPMT(0.01,3E8,1,1,3E8,0)"})
    killer.join()
    assert values["B1"] == 3
    assert sheet.edit({"A1": "5"})["B1"] == 6
    assert sheet.calculator.pid != pid


def test_the_parents_memory_stays_bounded(make_sheet: Callable[..., Sheet]) -> None:
    sheet = make_sheet(memory_bytes=600 * MEBIBYTE, seconds=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # 4,000 texts of 32,767 characters are 130 MB; no answer is that large.
    values = sheet.load({f"A{row}": '=REPT("x",32767)' for row in range(1, 4_001)} | {"B1": "2"})
    assert all("Together" in reason_of(value, "#LIMIT!") for value in values.values())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150 * 1024  # in KiB on Linux; on macOS the bound is wider


def test_a_sheet_too_large_for_its_process_is_refused_and_nothing_is_lost(
    make_sheet: Callable[..., Sheet],
) -> None:
    sheet = make_sheet(memory_bytes=30 * MEBIBYTE)
    sheet.load({"A1": "1", "B1": "=A1+1"})
    sheet.calculator.set({(row, 5): "x" * 20_000 + str(row) for row in range(3_000)})
    with pytest.raises(CalculationFailed, match="3,002 cells"):
        sheet.evaluate()
    sheet.calculator.set({(row, 5): None for row in range(3_000)})
    assert sheet.edit({"A1": "4"})["B1"] == 5


def test_closing_ends_the_process_and_a_later_evaluation_starts_another(
    make_sheet: Callable[..., Sheet],
) -> None:
    sheet = make_sheet()
    sheet.load({"A1": "1", "B1": "=A1+1"})
    pid = sheet.calculator.pid
    assert pid is not None
    sheet.calculator.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert sheet.edit({"A1": "2"}) == {"B1": 3}
