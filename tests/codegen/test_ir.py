"""The writer of IR."""

import pytest

from compiler.codegen import ir


@pytest.mark.parametrize(
    ("value", "bits", "signed", "expected"),
    [
        (5, 64, True, "5"),
        (-1, 64, True, "-1"),
        (2**64 - 1, 64, False, "-1"),
        (2**63, 64, False, str(-(2**63))),
        (255, 8, False, "255"),
        (255, 8, True, "-1"),
        (256, 8, False, "0"),
        (-1, 8, False, "255"),
        (-1, 32, False, str(2**32 - 1)),
    ],
)
def test_constants_are_extended_as_their_type_says(value: int, bits: int, signed: bool, expected: str) -> None:
    assert ir.constant(value, bits, signed=signed) == expected


def test_bytes_are_escaped() -> None:
    assert ir.string_bytes(b'a"\\\n\xff\0') == '[6 x i8] c"a\\22\\5C\\0A\\FF\\00"'


def test_constants_are_shared_and_never_empty() -> None:
    module = ir.Module()
    assert [module.constant(data) for data in (b"a", b"", b"a", b"\0")] == [
        "@constant.0", "@constant.1", "@constant.0", "@constant.1",
    ]  # fmt: skip
    assert 'private constant [1 x i8] c"\\00", section ".rodata"' in str(module)


def function() -> ir.Function:
    return ir.Function(ir.Module(), "f", "program.f", [("ptr", "%ctx")], "")


def body(f: ir.Function) -> list[str]:
    return [line.strip() for line in str(f).splitlines()]


def test_a_block_falls_through_to_the_next() -> None:
    f = function()
    label = f.label("next")
    f.enter(label)
    f.ret("0")
    lines = body(f)
    assert f"br label %{label}" in lines
    assert lines[lines.index(f"{label}:") + 1] == "ret i64 0"


def test_what_follows_a_terminator_is_in_a_block_of_its_own() -> None:
    f = function()
    f.ret("0")
    f.store("1", f.alloca(8), 8)
    lines = body(f)
    assert lines[lines.index("ret i64 0") + 1].startswith("unreachable.")
    assert lines[-2] == "unreachable"


def once(f: ir.Function) -> ir.Operand:
    return f.once("clock", lambda: f.call_helper(5))


def test_a_value_that_stays_is_made_once_on_every_way() -> None:
    f = function()
    then, done = f.label("then"), f.label("done")
    f.branch_if("true", then, done)
    f.enter(then)
    inside = once(f)
    assert once(f) == inside
    f.enter(done)
    after = once(f)
    assert after != inside, "not every way leads through the branch"
    head, body_, end = f.label("head"), f.label("body"), f.label("end")
    f.enter(head)
    f.branch_if("true", body_, end)
    f.enter(body_)
    assert once(f) == after
    f.loop_back(head)
    f.enter(end)
    assert once(f) == after


def test_code_that_nothing_reaches_leads_nowhere() -> None:
    f = function()
    head, done = f.label("head"), f.label("done")
    f.enter(head)
    before = once(f)
    f.branch(done)
    f.loop_back(head)  # as after a `break`
    f.enter(done)
    assert once(f) == before


def test_a_second_way_into_a_loop_is_a_mistake() -> None:
    f = function()
    loop, other = f.label("loop"), f.label("other")
    f.branch_if("true", loop, other)
    f.enter(loop)
    f.ret("0")
    f.enter(other)
    with pytest.raises(AssertionError, match="into the loop"):
        f.branch(loop)


def test_allocas_stand_at_the_start() -> None:
    f = function()
    later = f.label("later")
    f.enter(later)
    slot = f.alloca(4)
    f.ret("0")
    lines = body(f)
    assert lines.index(f"{slot} = alloca [4 x i8], align 8") < lines.index(f"{later}:")


def test_equal_constants_are_one() -> None:
    module = ir.Module()
    assert module.constant(b"ab\0") == module.constant(b"ab\0") != module.constant(b"ac\0")
