"""uprobe_targets: what a tracer has from the debug information of a program, and other builds of it."""

import re

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines


def test_arguments_members_and_lines(machine: Machine) -> None:
    completed = machine.run("/bin/known_binary", "-c", "/bin/shop")
    assert completed.code == 0, completed
    lines = [re.sub("0x[0-9a-f]+", "ADDRESS", line) for line in output_lines(completed.stdout)]
    assert sorted(lines) == sorted([
        "1 tea 250 0 1", "DRINK",
        "2 cup 900 0 0", "DISH",
        "3 spoon 120 0 0", "DISH",
        # behind floating point numbers and a structure of two words
        "3 5 6 7",
        "spoon 120 8 -9",
        "sum 2410, weight 255",
        "@items[{ .left = 5, .right = 6 }]: { .name = spoon, .kind = DISH, .sold = 1, .hot = 0, .price = 120 }",
        "@after: 3",
        "@orders[1, false]: { .item = ADDRESS, .count = 1 }",
        "@orders[2, true]: { .item = ADDRESS, .count = 2 }",
        "@orders[3, true]: { .item = ADDRESS, .count = 3 }",
        "@sum: 2410",
    ])  # fmt: skip


def test_another_build_is_refused(machine: Machine) -> None:
    completed = machine.run("/bin/other_binary", "-c", "/bin/shop")
    assert completed.code == 1, completed
    message = "/bin/shop is another build than the one that this tracer was made for: its build id is"
    assert re.search(f"{message} ([0-9a-f]{{40}}), not (?!\\1)[0-9a-f]{{40}}", completed.stderr), completed
    assert "tea" not in completed.stdout
