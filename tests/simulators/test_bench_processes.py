"""Processes are told apart by part, measured, and picked as victims."""

import os

import pytest

from bench.processes import Member, by_part, cpu_of, usage
from bench.table import Column, Table
from bench.victims import VICTIMS

PRODUCT = [
    Member(1, "call actors"),
    Member(2, "call actors"),
    Member(3, "ingress"),
    Member(4, "ingress"),
    Member(5, "mongodb"),
]


def test_a_process_is_measured() -> None:
    used = usage(os.getpid())
    assert used is not None
    assert used.cpu_s > 0
    assert used.pss_bytes > 1_000_000
    assert used.descriptors > 2
    assert sum(cpu_of(os.getpid()).values()) > 0


def test_what_has_ended_is_left_out() -> None:
    gone = Member(2**22 + 1, "pools")  # beyond the highest process number there is
    assert usage(gone.pid) is None
    assert list(by_part([gone, Member(os.getpid(), "replicas")])) == ["replicas"]


def test_one_call_actor_dies_but_the_whole_ingress() -> None:
    assert VICTIMS["call actor"](PRODUCT, 2)[0] in (1, 2)
    assert VICTIMS["ingress"](PRODUCT, 2) == [3, 4]
    assert VICTIMS["database"](PRODUCT, 2) == [5]


def test_who_is_not_there_cannot_die() -> None:
    assert VICTIMS["redis"](PRODUCT, 2) == []
    assert VICTIMS["nothing"](PRODUCT, 2) == []


def test_rows_fit_under_their_head(capsys: pytest.CaptureFixture[str]) -> None:
    Table([Column("victim", 8, is_text=True), Column("gap", 5)]).row("pool", 1.234)
    assert capsys.readouterr().out.splitlines() == ["victim      gap", "--------  -----", "pool       1.23"]


def test_what_is_not_known_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    Table([Column("gap", 5)]).row(None)
    assert capsys.readouterr().out.splitlines()[-1] == "    -"
