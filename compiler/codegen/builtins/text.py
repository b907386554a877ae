"""Functions on strings: lengths, comparison, search."""

from __future__ import annotations

from compiler.analysis import searches
from compiler.analysis.program import string_literal
from compiler.codegen import comparison, errors, loops, memory
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import I64, PTR, Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types import lattice

# Of a search by the kernel: where the place begins that is looked at, how many of its bytes are right, and the result.
_BEGIN, _MATCHED, _FOUND = 0, 8, 16
_MOST_ROUNDS = 1 << 23  # BPF_MAX_LOOPS of linux/bpf.h


@builtin("strlen")
def strlen(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    return _length(e, node.arguments[0])


@builtin("strcap")
def strcap(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """The room of a string, which is all of its type; only a pointer has to be followed."""
    match node.arguments[0].type:
        case lattice.String() as text:
            return str(text.size)
        case lattice.Array(_, count):
            return str(count)
        case _:
            return _length(e, node.arguments[0])


def _length(e: Emitter, text: ast.Expression) -> Operand:
    """Bytes before the NUL: the helper that copies strings counts them."""
    if isinstance(text, ast.String):
        return str(len(text.data.split(b"\0")[0]))
    f = e.f
    room = e.program.config.max_strlen if isinstance(text.type, lattice.Pointer) else text.type.size
    pointer, space = memory.pointer_to(e, text)
    # One byte more than there can be, for the NUL that the helper puts behind a string that has none.
    copy = e.temporary(room + 1, text.span)
    read = memory.read_text(e, pointer, space, copy, str(room + 1), text.span)
    return f.select(f.compare("sgt", read, "0"), f.binary("sub", read, "1"), "0")


@builtin("strncmp")
def strncmp(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """0 if the first bytes are equal, 1 if they are not."""
    left, right, count = node.arguments
    if isinstance(count, ast.PositionalParameter):
        return e.f.binary("xor", e.f.boolean(comparison.equal_up_to(e, left, right, e.scalar(count))), "1")
    assert isinstance(count, ast.Integer)
    size = min(left.type.size, right.type.size, count.value)
    if size == 0:
        return "0"
    return e.f.binary("xor", e.f.boolean(comparison.equal(e, left, right, size)), "1")


@builtin("strstr")
def strstr(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """Where the first string contains the second one, -1 if nowhere."""
    f = e.f
    haystack, needle = node.arguments
    room, known = haystack.type.size, string_literal(needle)
    # A string that is longer is not there, which its bytes behind that cannot change.
    longest = min(needle.type.size, room + 1) if known is None else len(known.data.split(b"\0")[0])
    if longest == 0:
        return "0"
    where, what = memory.in_bpf_memory(e, haystack), memory.in_bpf_memory(e, needle)
    if longest > room and known is not None:
        return "-1"
    if searches.uses_helper(e.program, haystack, needle):
        return _search_by_helper(e, node, where, what, room, longest)

    head, more, match, next_, done = (f.label(f"search.{part}") for part in ("at", "more", "match", "next", "done"))
    counter = e.stack_memory(8)
    f.store("0", counter.address, 8)
    begin = head
    if known is None:
        nonempty = f.label("search.nonempty")
        first = f.load(what.address, 1, signed=False)
        empty = f.current
        f.branch_if(f.compare("eq", first, "0"), done, nonempty)
        f.enter(nonempty)
    f.enter(begin)
    position = f.load(counter.address, 8, signed=False)
    here = f.offset(where.address, position)
    at_end = f.current
    f.branch_if(f.compare("eq", f.load(here, 1, signed=False), "0"), done, more)
    f.enter(more)
    if known is not None:
        same = comparison.same_bytes(e, Place(here, alignment=1), what, longest)
        last = room - longest
    else:
        same = _starts_with(e, where, position, room, what, longest)
        last = room - 1
    f.branch_if(same, match, next_)
    f.enter(match)
    after_match = f.current
    f.branch(done)
    f.enter(next_)
    following = f.binary("add", position, "1")
    f.store(following, counter.address, 8)
    after_all = f.current
    again = f.label("search.again")
    f.branch_if(f.compare("ule", following, str(last)), again, done)
    f.enter(again)
    f.loop_back(begin)
    f.enter(done)
    incoming = [("-1", at_end), (position, after_match), ("-1", after_all)]
    if known is None:
        incoming.append(("0", empty))
    return f.phi(incoming)


def _search_by_helper(e: Emitter, node: ast.Call, where: Place, what: Place, room: int, longest: int) -> Operand:
    """The kernel calls a function for each pair of bytes to compare, which so the verifier sees once.

    How far it has come is in working memory, of which the verifier knows nothing: else it would follow it.
    """
    f = e.f
    state = e.working_memory(24, node.span)
    for offset, value in ((_BEGIN, "0"), (_MATCHED, "0"), (_FOUND, "-1")):
        f.store(value, e.at(state, offset).address, 8)
    places = (where, what, state)
    context = e.stack_memory(8 * len(places))
    for index, place in enumerate(places):
        f.emit(f"store ptr {place.address}, ptr {e.at(context, 8 * index).address}, align 8")
    name = loops.callback_name(e)
    with loops.callback(e, name, [(I64, "%index"), (PTR, "%shared")], (), context) as inner:
        _compare_next(inner, room, longest)
    steps = min(room * (longest + 1), _MOST_ROUNDS)
    result = e.helper("loop", i64(str(steps)), (PTR, f'@"{name}"'), ptr(context.address), i64("0"))
    errors.check_helper(e, "loop", result, node.span)
    return f.load(e.at(state, _FOUND).address, 8, signed=True)


def _compare_next(e: Emitter, room: int, longest: int) -> None:
    f, loop = e.f, e.loops[-1]
    where, what, state = (f.value(f"load ptr, ptr {f.offset('%shared', 8 * index)}, align 8") for index in range(3))
    begin, matched = (f.load(f.offset(state, offset), 8, signed=False) for offset in (_BEGIN, _MATCHED))
    more, open_, inside, same, differs, over, match = (
        f.label(f"search.{part}") for part in ("more", "open", "inside", "same", "differs", "over", "match")
    )
    f.branch_if(f.compare("uge", matched, str(longest)), match, more)
    f.enter(more)
    wanted = f.load(f.offset(what, f.minimum(matched, str(longest - 1))), 1, signed=False)
    f.branch_if(f.compare("eq", wanted, "0"), match, open_)
    f.enter(open_)
    at = f.binary("add", begin, matched)
    f.branch_if(f.compare("ult", at, str(room)), inside, loop.done)
    f.enter(inside)
    found = f.load(f.offset(where, f.minimum(at, str(room - 1))), 1, signed=False)
    f.branch_if(f.compare("eq", found, wanted), same, differs)
    f.enter(same)
    f.store(f.binary("add", matched, "1"), f.offset(state, _MATCHED), 8)
    f.branch(loop.next)
    f.enter(differs)
    f.branch_if(f.compare("eq", found, "0"), loop.done, over)
    f.enter(over)
    f.store(f.binary("add", begin, "1"), f.offset(state, _BEGIN), 8)
    f.store("0", f.offset(state, _MATCHED), 8)
    f.branch(loop.next)
    f.enter(match)
    f.store(begin, f.offset(state, _FOUND), 8)
    f.branch(loop.done)


def _starts_with(e: Emitter, where: Place, position: Operand, room: int, what: Place, longest: int) -> Operand:
    """An i1: whether `what` stands at `position`. No branch depends on the bytes: the verifier has one path only."""
    f = e.f
    counter, state = e.stack_memory(8), e.stack_memory(8)
    f.store("0", counter.address, 8)
    f.store("0", state.address, 8)  # bit 0: a byte differed; bit 1: the end of `what` was reached before
    head, again, done = f.label("prefix.byte"), f.label("prefix.again"), f.label("prefix.done")
    f.enter(head)
    index = f.load(counter.address, 8, signed=False)
    expected = f.load(f.offset(what.address, index), 1, signed=False)
    at = f.binary("add", position, index)
    inside = f.boolean(f.compare("ult", at, str(room)))
    found = f.load(f.offset(where.address, f.minimum(at, str(room - 1))), 1, signed=False)
    so_far = f.load(state.address, 8, signed=False)
    ended = f.binary("or", so_far, f.binary("shl", f.boolean(f.compare("eq", expected, "0")), "1"))
    differs = f.boolean(f.compare("ne", expected, found))
    outside = f.binary("xor", inside, "1")
    wrong = f.binary("or", differs, outside)
    counts = f.binary("xor", f.binary("lshr", ended, "1"), "1")
    f.store(f.binary("or", ended, f.binary("and", wrong, counts)), state.address, 8)
    following = f.binary("add", index, "1")
    f.store(following, counter.address, 8)
    f.branch_if(f.compare("ult", following, str(longest)), again, done)
    f.enter(again)
    f.loop_back(head)
    f.enter(done)
    return f.compare("eq", f.binary("and", f.load(state.address, 8, signed=False), "1"), "0")


@builtin("str_concat")
def str_concat(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """Both strings, as far as the result has room for them."""
    f = e.f
    size = node.type.size
    # Twice the room, because to the verifier the second string may be as long as all of it wherever it begins.
    target = e.working_memory(2 * size, node.span)
    memory.clear(e, target, size, node.span)
    left, left_space = memory.pointer_to(e, node.arguments[0])
    read = memory.read_text(e, left, left_space, target, str(size), node.span)
    length = f.minimum(f.select(f.compare("sgt", read, "0"), f.binary("sub", read, "1"), "0"), str(size - 1))
    right, right_space = memory.pointer_to(e, node.arguments[1])
    rest = f.binary("sub", str(size), length)
    memory.read_text(e, right, right_space, Place(f.offset(target.address, length), alignment=1), rest, node.span)
    return target


@builtin("memcmp")
def memcmp(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """The difference of the first bytes that differ, 0 if none of the first `count` do."""
    f = e.f
    left, right, count = node.arguments
    size = min(left.type.size, right.type.size)
    first, second = memory.in_bpf_memory(e, left), memory.in_bpf_memory(e, right)
    limit = f.minimum(e.scalar(count), str(size))
    counter = e.stack_memory(8)
    f.store("0", counter.address, 8)
    head, more, next_, done = (f.label(f"memcmp.{part}") for part in ("byte", "more", "next", "done"))
    f.enter(head)
    index = f.load(counter.address, 8, signed=False)
    at_end = f.current
    f.branch_if(f.compare("ult", index, limit), more, done)
    f.enter(more)
    # The limit is a variable to the verifier, which so does not see that it holds for the index.
    position = f.minimum(index, str(size - 1))
    pair = [f.load(f.offset(place.address, position), 1, signed=True) for place in (first, second)]
    difference = f.binary("sub", *pair)
    after_bytes = f.current
    f.branch_if(f.compare("eq", difference, "0"), next_, done)
    f.enter(next_)
    f.store(f.binary("add", index, "1"), counter.address, 8)
    f.loop_back(head)
    f.enter(done)
    return f.phi([("0", at_end), (difference, after_bytes)])
