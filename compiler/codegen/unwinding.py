"""Stacks of processes by their call frame information (DWARF CFI): the walk from a function to its caller.

The shim has translated the tables of the files that a process has mapped; the maps of the roles UNWIND_* have them, see
required_resources.proto. The walk is two global functions, which the verifier checks once however often the script
calls them. What they compute is in working memory, which has two advantages over registers: the stack stays free, and
the verifier does not follow the values, of which there are too many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import I64, NULL, PTR, Function, Label, Operand
from compiler.helpers import HELPERS
from compiler.object.core import Kind
from compiler.object.resources import UnwindMaps
from compiler.object.sections import GLOBAL_PREFIX
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.c_declarations import CDeclarations
from compiler.types.lattice import UINT64, Field, Pointer, Stack, Struct, StructLayout, Type

NO_TABLES = "-1"
"""What `walk` yields where nothing is known of the process."""
REFRESH = 1 << 32
"""A bit of what `walk` yields: the shim is to read the mappings of the process again. The lower half are frames."""

_UNKNOWN_CALLER = "-1"
"""The last frame of a stack that goes on, but nobody knows where."""
_END = "0"

# Working memory. It begins with the registers, at the places that struct pt_regs has; words up to 31 are there, so that
# five bits are always the number of one.
_KNOWN = 21 * 8  # a bit for each register whose value is known
_FRAME_ADDRESS = 22 * 8
_OLD_STACK_POINTER = 23 * 8
_OLD_FRAME_POINTER = 24 * 8
_PROCESS = 25 * 8
_STACK_END = 26 * 8
_TRAMPOLINE = 27 * 8
_BEGIN = 28 * 8
_END_OF_SEARCH = 29 * 8
_IS_UNMAPPED = 30 * 8  # whether the walk came to an address that no known mapping has
_WORD = 31 * 8
FRAMES = 32 * 8

_REGISTERS_SIZE = 21 * 8
_FRAME_POINTER, _INSTRUCTION_POINTER, _CODE_SEGMENT, _STACK_POINTER = 4 * 8, 16 * 8, 17 * 8, 19 * 8
_PRESERVED = sum(1 << word for word in (0, 1, 2, 3, 4, 5, 16, 19))
"""What a function gives back as it was: r15 to r12, rbp, rbx, and where its caller goes on."""
_USER_CODE_SEGMENT = 0x33  # of 64-bit code

_MOST_MAPPINGS_LOG2, _MOST_ROWS_LOG2 = 12, 24
_MOST_SAVED = 18
_MOST_RETURN_PROBES = 64
_REFRESH_INTERVAL_NS = 100_000_000

# x86-64: THREAD_SIZE. What lies behind the registers at its end (since 6.9, with FRED) is of kernels that have the
# helper bpf_task_pt_regs.
_KERNEL_STACK_SIZE = 16384


_POINTER = Pointer(lattice.VOID)


def _declare_types() -> CDeclarations:
    """The members of kernel structures that the walk reads, by name: where they are is the target's to say."""
    types = CDeclarations()

    def declare(structure: str, **members: Type) -> Struct:
        struct = types.add_struct(structure, is_union=False)
        fields = tuple(Field(name, type_, 64 * index) for index, (name, type_) in enumerate(members.items()))
        types.layouts[struct.key] = StructLayout(8 * len(fields), fields)
        return struct

    declare("task_struct", stack=_POINTER, mm=_POINTER, utask=_POINTER)
    state = declare("uprobes_state", xol_area=_POINTER)
    declare("mm_struct", start_stack=UINT64, uprobes_state=state)
    declare("xol_area", vaddr=UINT64)
    declare("uprobe_task", return_instances=_POINTER)
    declare("return_instance", stack=UINT64, orig_ret_vaddr=UINT64, next=_POINTER)
    types.add_enum("bpf_func_id", 32, {_TASK_REGISTERS: HELPERS["task_pt_regs"].id})
    return types


_TASK_REGISTERS = "BPF_FUNC_task_pt_regs"
_TYPES = _declare_types()


def walk(e: Emitter, process: Operand, limit: Operand, span: Span) -> tuple[Operand, Operand]:
    """Calls the function that walks the stack of the current process. Returns what it yields, and the program's working
    memory, whose frames are at FRAMES.
    """
    maps, slot = e.resources.unwinding(e.bpf, FRAMES + 8 * most_frames(e))
    _Walk.define(e, maps, span)
    result = e.f.call_function("unwind", str(slot), process, limit)
    key = e.stack_memory(4)
    e.f.store(str(slot), key.address, 4)
    memory = e.pointer_helper("map_lookup_elem", e.map(maps.memory), (PTR, key.address))
    return result, memory


def most_frames(e: Emitter) -> int:
    """The largest limit of the script."""
    calls = (node for program in e.program.programs for node in program.probe.walk())
    return max(
        node.type.limit
        for node in calls
        if isinstance(node, ast.Builtin | ast.Call) and node.name == "dw_ustack" and isinstance(node.type, Stack)
    )


@dataclass(slots=True)
class _Walk:
    """One of the functions while it is written."""

    e: Emitter
    maps: UnwindMaps
    span: Span
    f: Function
    memory: Operand = ""
    key: Operand = ""
    word: Operand = ""

    @staticmethod
    def define(e: Emitter, maps: UnwindMaps, span: Span) -> None:
        module = e.f.module
        if any(function.name == "unwind" for function in module.functions):
            return
        frames = most_frames(e)
        for name, parameters in (("unwind_step", ("%slot",)), ("unwind", ("%slot", "%process", "%limit"))):
            section = f"{GLOBAL_PREFIX}{len(parameters)}.{name}"
            f = Function(module, name, section, [(I64, parameter) for parameter in parameters], "hidden")
            part = _Walk(e, maps, span, f)
            part.step() if name == "unwind_step" else part.start(frames)

    # ------------------------------------------------------------------------------------------------- the whole walk

    def start(self, most: int) -> None:
        """`unwind(slot, process, limit)`, which does all that `walk` says."""
        f = self.f
        empty, no_tables = f.label("empty"), f.label("no.tables")
        self._open_memory(empty)
        f.branch_if(f.compare("eq", "%limit", "0"), empty, begin := f.label("begin"))
        f.enter(begin)
        self._set(_PROCESS, "%process")
        header = self._header(no_tables)
        task = self._helper("get_current_task")
        self._read_registers(task)
        mm = self._read_member(task, "task_struct", "mm")
        self._set(_STACK_END, self._read_member(mm, "mm_struct", "start_stack"))
        self._find_trampoline(mm)
        self._set(_KNOWN, "-1")
        self._set(_IS_UNMAPPED, "0")
        self._store_frame("0", self._get(_INSTRUCTION_POINTER))
        count = f.alloca(8)
        f.store("1", count, 8)
        cut, rounds, done = f.label("cut"), f.label("frames"), f.label("done")
        # Another program runs in the process than when its mappings were read.
        same = f.compare("eq", self._get(_STACK_END), f.load(f.offset(header, 8), 8, signed=False))
        known, other = f.label("same.program"), f.label("other.program")
        f.branch_if(same, known, other)
        f.enter(other)
        self._set(_IS_UNMAPPED, "1")
        f.branch(cut)
        f.enter(known)
        f.branch_if(f.compare("eq", self._get(_CODE_SEGMENT), str(_USER_CODE_SEGMENT)), rounds, cut)
        self._callers(most, count, rounds, done)
        f.enter(cut)
        one = f.label("cut.frame")
        f.branch_if(f.compare("ugt", "%limit", "1"), one, done)
        f.enter(one)
        self._store_frame("1", _UNKNOWN_CALLER)
        f.store("2", count, 8)
        f.enter(done)
        frames = f.load(count, 8, signed=False)
        f.branch_if(
            f.compare("eq", self._get(_IS_UNMAPPED), "0"), complete := f.label("complete"), ask := f.label("ask")
        )
        f.enter(ask)
        header = self._header(no_tables)
        now = self._helper("ktime_get_ns")
        waited = f.binary("sub", now, f.load(f.offset(header, 16), 8, signed=False))
        f.branch_if(f.compare("ult", waited, str(_REFRESH_INTERVAL_NS)), complete, refresh := f.label("refresh"))
        f.enter(refresh)
        f.store(now, f.offset(header, 16), 8)
        f.ret(f.binary("or", frames, str(REFRESH)))
        f.enter(complete)
        f.ret(frames)
        f.enter(empty)
        f.ret("0")
        f.enter(no_tables)
        f.ret(NO_TABLES)

    def _callers(self, most: int, count: Operand, rounds: Label, done: Label) -> None:
        f = self.f
        f.enter(rounds)
        index = f.load(count, 8, signed=False)
        # One comparison with a number, for the verifier.
        f.branch_if(f.compare("ult", index, str(most)), inside := f.label("room"), done)
        f.enter(inside)
        f.branch_if(f.compare("ult", index, "%limit"), wanted := f.label("wanted"), done)
        f.enter(wanted)
        caller = f.call_function("unwind_step", "%slot")
        f.branch_if(f.compare("eq", caller, _END), done, found := f.label("caller"))
        f.enter(found)
        self._store_frame(index, caller)
        f.store(f.binary("add", index, "1"), count, 8)
        f.branch_if(f.compare("eq", caller, _UNKNOWN_CALLER), done, following := f.label("following"))
        f.enter(following)
        f.loop_back(rounds)

    def _store_frame(self, index: Operand, address: Operand) -> None:
        f = self.f
        frames = f.offset(self.memory, FRAMES)
        f.store(address, f.offset(frames, f.binary("shl", index, "3")), 8)

    def _read_registers(self, task: Operand) -> None:
        """Those that the process had in user space: they are at the end of its kernel stack."""
        f = self.f
        has_helper = self.e.resources.constants.core_enumerator(
            Kind.ENUM_VALUE_EXISTS, _TYPES.enums["bpf_func_id"], _TASK_REGISTERS, self.span
        )
        new, old, done = f.label("registers.new"), f.label("registers.old"), f.label("registers")
        f.branch_if(f.compare("ne", self.e.symbol_value(has_helper), "0"), new, old)
        f.enter(new)
        current = f.call_pointer_helper(HELPERS["get_current_task_btf"].id)
        registers = f.call_pointer_helper(HELPERS["task_pt_regs"].id, (PTR, current))
        self._copy_from(f.to_integer(registers))
        f.branch(done)
        f.enter(old)
        stack = self._read_member(task, "task_struct", "stack")
        self._copy_from(f.binary("add", stack, str(_KERNEL_STACK_SIZE - _REGISTERS_SIZE)))
        f.enter(done)

    def _copy_from(self, registers: Operand) -> None:
        self._helper("probe_read_kernel", (PTR, self.memory), (I64, str(_REGISTERS_SIZE)), (I64, registers))

    def _find_trampoline(self, mm: Operand) -> None:
        """The page with the code that functions return to while the kernel waits for their return."""
        f = self.f
        self._set(_TRAMPOLINE, "0")
        some, done = f.label("trampoline.known"), f.label("trampoline")
        f.branch_if(self._has_member("mm_struct", "uprobes_state", "xol_area"), some, done)
        f.enter(some)
        area = self._read_member(mm, "mm_struct", "uprobes_state", "xol_area")
        f.branch_if(f.compare("ne", area, "0"), there := f.label("trampoline.there"), done)
        f.enter(there)
        self._set(_TRAMPOLINE, self._read_member(area, "xol_area", "vaddr"))
        f.enter(done)

    # ----------------------------------------------------------------------------------------------------- one caller

    def step(self) -> None:
        """`unwind_step(slot)`: goes to the caller; its address as a frame has it, _END or _UNKNOWN_CALLER."""
        f = self.f
        fail = f.label("fail")
        self._open_memory(fail)
        rule = self._find_rule(fail)
        self._set(_OLD_STACK_POINTER, self._get(_STACK_POINTER))
        self._set(_OLD_FRAME_POINTER, self._get(_FRAME_POINTER))
        self._find_frame_address(rule, fail)
        previous = self._get(_INSTRUCTION_POINTER)
        self._restore_registers(rule, self._get(_FRAME_ADDRESS), fail)
        known = f.binary("and", self._get(_KNOWN), str(1 << _INSTRUCTION_POINTER // 8))
        end, go_on, live = f.label("end"), f.label("known.caller"), f.label("live.caller")
        f.branch_if(f.compare("eq", known, "0"), end, go_on)
        f.enter(go_on)
        self._leave_trampoline()
        address = self._get(_INSTRUCTION_POINTER)
        f.branch_if(f.compare("eq", address, "0"), end, live)
        f.enter(live)
        # The address behind a call may belong to the next function. A signal has interrupted what is at its address.
        signal = f.load(f.offset(rule, 3), 1, signed=False)
        address = f.binary("sub", address, f.boolean(f.compare("eq", signal, "0")))
        self._set(_INSTRUCTION_POINTER, address)
        # A function that is its own caller: what was read is no stack.
        same_stack = f.binary("xor", self._get(_STACK_POINTER), self._get(_OLD_STACK_POINTER))
        change = f.binary("or", same_stack, f.binary("xor", address, previous))
        f.branch_if(f.compare("eq", change, "0"), fail, moved := f.label("moved"))
        f.enter(moved)
        highest = f.binary("sub", self._get(_STACK_END), "8")
        f.branch_if(f.compare("uge", self._get(_STACK_POINTER), highest), end, caller := f.label("caller"))
        f.enter(caller)
        f.ret(address)
        f.enter(end)
        f.ret(_END)
        f.enter(fail)
        f.ret(_UNKNOWN_CALLER)

    def _find_rule(self, fail: Label) -> Operand:
        """The rule for the instruction pointer."""
        f = self.f
        address = self._get(_INSTRUCTION_POINTER)
        mappings = self._look_up(self.maps.processes, self._key(self._get(_PROCESS)), fail)
        header = self._look_up_in(mappings, self._key("0"), fail)
        unmapped = f.label("unmapped")
        self._set(_BEGIN, "1")
        self._set(_END_OF_SEARCH, f.binary("add", f.load(header, 8, signed=False), "1"))
        mapping = self._search(
            mappings, _MOST_MAPPINGS_LOG2, address, lambda entry: f.load(entry, 8, signed=False), unmapped, fail
        )
        f.branch_if(
            f.compare("ult", address, f.load(f.offset(mapping, 8), 8, signed=False)),
            inside := f.label("mapped"),
            unmapped,
        )
        f.enter(unmapped)
        self._set(_IS_UNMAPPED, "1")
        f.branch(fail)
        f.enter(inside)
        place = f.binary("sub", address, f.load(f.offset(mapping, 16), 8, signed=False))
        file = f.load(f.offset(mapping, 24), 4, signed=False)
        self._set(_BEGIN, "0")
        self._set(_END_OF_SEARCH, f.load(f.offset(mapping, 28), 4, signed=False, alignment=4))
        rows = self._look_up(self.maps.rows, self._key(file), fail)
        row = self._search(rows, _MOST_ROWS_LOG2, place, lambda entry: f.load(entry, 4, signed=False), fail, fail)
        number = f.load(f.offset(row, 4), 4, signed=False, alignment=4)
        self._set(_WORD, number)
        # Again: the verifier lets no pointer to a map be kept in memory, and registers are few.
        rules = self._look_up(self.maps.rules, self._key(file), fail)
        return self._look_up_in(rules, self._key(self._get(_WORD)), fail)

    def _search(
        self, array: Operand, rounds_log2: int, wanted: Operand, key_of: Callable[[Operand], Operand], none: Label,
        fail: Label,
    ) -> Operand:  # fmt: skip
        """The last entry from _BEGIN to before _END_OF_SEARCH whose key is not above `wanted`."""
        f = self.f
        first = self._get(_BEGIN)
        rounds = f.alloca(8)
        f.store("0", rounds, 8)
        head, body, found = f.label("search"), f.label("search.round"), f.label("search.done")
        f.enter(head)
        begin, end = self._get(_BEGIN), self._get(_END_OF_SEARCH)
        round_ = f.load(rounds, 8, signed=False)
        f.branch_if(f.compare("ugt", round_, str(rounds_log2)), fail, narrow := f.label("search.bounded"))
        f.enter(narrow)
        f.branch_if(f.compare("ult", begin, end), body, found)
        f.enter(body)
        middle = f.binary("lshr", f.binary("add", begin, end), "1")
        entry = self._look_up_in(array, self._key(middle), fail)
        lower, upper, following = f.label("search.lower"), f.label("search.upper"), f.label("search.next")
        f.branch_if(f.compare("ugt", key_of(entry), wanted), lower, upper)
        f.enter(lower)
        self._set(_END_OF_SEARCH, middle)
        f.branch(following)
        f.enter(upper)
        self._set(_BEGIN, f.binary("add", middle, "1"))
        f.enter(following)
        f.store(f.binary("add", round_, "1"), rounds, 8)
        f.loop_back(head)
        f.enter(found)
        after = self._get(_BEGIN)
        f.branch_if(f.compare("eq", after, first), none, some := f.label("search.found"))
        f.enter(some)
        return self._look_up_in(array, self._key(f.binary("sub", after, "1")), fail)

    def _find_frame_address(self, rule: Operand, fail: Label) -> None:
        f = self.f
        kind = f.load(rule, 1, signed=False)
        value = self._register(f.load(f.offset(rule, 1), 1, signed=False), fail)
        offset = f.load(f.offset(rule, 4), 4, signed=True, alignment=4)
        addend = f.load(f.offset(rule, 8), 4, signed=True)
        place = f.binary("add", value, offset)
        self._set(_FRAME_ADDRESS, place)
        memory, linkage, other, done = (f.label(hint) for hint in ("cfa.memory", "cfa.linkage", "cfa.other", "cfa"))
        f.branch_if(f.compare("eq", kind, "1"), done, other)
        f.enter(other)
        f.branch_if(f.compare("eq", kind, "2"), memory, more := f.label("cfa.more"))
        f.enter(memory)
        self._set(_FRAME_ADDRESS, f.binary("add", self._read_user(place, fail), addend))
        f.branch(done)
        f.enter(more)
        f.branch_if(f.compare("eq", kind, "3"), linkage, fail)
        f.enter(linkage)
        inside = f.binary("and", self._get(_INSTRUCTION_POINTER), "15")
        pushed = f.binary("shl", f.boolean(f.compare("uge", inside, addend)), "3")
        self._set(_FRAME_ADDRESS, f.binary("add", place, pushed))
        f.enter(done)

    def _restore_registers(self, rule: Operand, frame_address: Operand, fail: Label) -> None:
        f = self.f
        known = self._get(_KNOWN)
        signal = f.load(f.offset(rule, 3), 1, signed=False)
        kept = f.select(f.compare("ne", signal, "0"), "-1", str(_PRESERVED))
        lost = f.load(f.offset(rule, 12), 4, signed=False, alignment=4)
        self._set(_KNOWN, f.binary("and", f.binary("and", known, kept), f.binary("xor", lost, "-1")))
        self._set(_STACK_POINTER, frame_address)
        index = f.alloca(8)
        f.store("0", index, 8)
        head, bounded, body, done = (f.label(hint) for hint in ("saved", "saved.bounded", "saved.round", "saved.done"))
        following = f.label("saved.next")
        f.enter(head)
        number = f.load(index, 8, signed=False)
        f.branch_if(f.compare("ult", number, str(_MOST_SAVED)), bounded, done)
        f.enter(bounded)
        f.branch_if(f.compare("ult", number, f.load(f.offset(rule, 2), 1, signed=False)), body, done)
        f.enter(body)
        saved = f.offset(f.offset(rule, 16), f.binary("shl", number, "2"))
        entry = f.load(saved, 4, signed=True, alignment=4)
        kind, word = f.binary("and", entry, "7"), f.binary("and", f.binary("lshr", entry, "3"), "31")
        offset = f.binary("ashr", entry, "8")
        self._set(_WORD, word)
        copied, computed = f.label("saved.copied"), f.label("saved.computed")
        f.branch_if(f.compare("eq", kind, "4"), copied, computed)
        f.enter(copied)
        self._set_register(self._register(f.binary("and", offset, "31"), fail))
        f.branch(following)
        f.enter(computed)
        base = f.select(f.compare("eq", kind, "2"), self._get(_OLD_STACK_POINTER), self._get(_FRAME_ADDRESS))
        base = f.select(f.compare("eq", kind, "3"), self._get(_OLD_FRAME_POINTER), base)
        place = f.binary("add", base, offset)
        value, memory = f.label("saved.value"), f.label("saved.memory")
        f.branch_if(f.compare("eq", kind, "1"), value, memory)
        f.enter(value)
        self._set_register(place)
        f.branch(following)
        f.enter(memory)
        self._set_register(self._read_user(place, fail))
        f.enter(following)
        f.store(f.binary("add", number, "1"), index, 8)
        f.loop_back(head)
        f.enter(done)

    def _leave_trampoline(self) -> None:
        """The kernel has put its own address where functions whose return it waits for had that of their caller."""
        f = self.f
        done, inside = f.label("caller.real"), f.label("caller.trampoline")
        start = self._get(_TRAMPOLINE)
        f.branch_if(f.compare("ne", start, "0"), some := f.label("caller.compared"), done)
        f.enter(some)
        distance = f.binary("sub", self._get(_INSTRUCTION_POINTER), start)
        f.branch_if(f.compare("ult", distance, "4096"), inside, done)
        f.enter(inside)
        f.branch_if(self._has_member("return_instance", "orig_ret_vaddr"), known := f.label("returns.known"), done)
        f.enter(known)
        uprobes = self._read_member(self._helper("get_current_task"), "task_struct", "utask")
        self._set(_WORD, self._read_member(uprobes, "uprobe_task", "return_instances"))
        rounds = f.alloca(8)
        f.store("0", rounds, 8)
        head, body, match, other = (
            f.label(hint) for hint in ("returns", "returns.round", "returns.own", "returns.next")
        )
        f.enter(head)
        instance = self._get(_WORD)
        round_ = f.load(rounds, 8, signed=False)
        f.branch_if(f.compare("ult", round_, str(_MOST_RETURN_PROBES)), bounded := f.label("returns.bounded"), done)
        f.enter(bounded)
        f.branch_if(f.compare("ne", instance, "0"), body, done)
        f.enter(body)
        place = f.binary("add", self._read_member(instance, "return_instance", "stack"), "8")
        f.branch_if(f.compare("eq", place, self._get(_STACK_POINTER)), match, other)
        f.enter(other)
        self._set(_WORD, self._read_member(instance, "return_instance", "next"))
        f.store(f.binary("add", round_, "1"), rounds, 8)
        f.loop_back(head)
        f.enter(match)
        self._set(_INSTRUCTION_POINTER, self._read_member(instance, "return_instance", "orig_ret_vaddr"))
        f.enter(done)

    # -------------------------------------------------------------------------------------------------------- memory

    def _open_memory(self, fail: Label) -> None:
        self.memory = self._look_up(self.maps.memory, self._key("%slot"), fail)

    def _get(self, place: int) -> Operand:
        return self.f.load(self.f.offset(self.memory, place), 8, signed=False)

    def _set(self, place: int, value: Operand) -> None:
        self.f.store(value, self.f.offset(self.memory, place), 8)

    def _register(self, word: Operand, fail: Label) -> Operand:
        """The value of a register, if it is known."""
        f = self.f
        word = f.binary("and", word, "31")
        bit = f.binary("and", f.binary("lshr", self._get(_KNOWN), word), "1")
        f.branch_if(f.compare("eq", bit, "0"), fail, known := f.label("register.known"))
        f.enter(known)
        return f.load(f.offset(self.memory, f.binary("shl", word, "3")), 8, signed=False)

    def _set_register(self, value: Operand) -> None:
        """Gives the register whose number is in _WORD a value."""
        f = self.f
        word = f.binary("and", self._get(_WORD), "31")
        f.store(value, f.offset(self.memory, f.binary("shl", word, "3")), 8)
        self._set(_KNOWN, f.binary("or", self._get(_KNOWN), f.binary("shl", "1", word)))

    # ------------------------------------------------------------------------------------------------------- helpers

    def _helper(self, name: str, *arguments: tuple[str, Operand]) -> Operand:
        return self.f.call_helper(HELPERS[name].id, *arguments)

    def _key(self, value: Operand) -> Operand:
        """The place of a key for the next lookup: all have the same, because the stack is small."""
        if not self.key:
            self.key = self.f.alloca(4, 4)
        self.f.store(value, self.key, 4)
        return self.key

    def _word(self) -> Operand:
        """The place of a word that is read from memory, cleared."""
        if not self.word:
            self.word = self.f.alloca(8)
        self.f.store("0", self.word, 8)
        return self.word

    def _header(self, fail: Label) -> Operand:
        mappings = self._look_up(self.maps.processes, self._key(self._get(_PROCESS)), fail)
        return self._look_up_in(mappings, self._key("0"), fail)

    def _look_up(self, symbol: str, key: Operand, fail: Label) -> Operand:
        return self._look_up_in(self.f.module.symbol(symbol), key, fail)

    def _look_up_in(self, map_: Operand, key: Operand, fail: Label) -> Operand:
        f = self.f
        entry = f.call_pointer_helper(HELPERS["map_lookup_elem"].id, (PTR, map_), (PTR, key))
        f.branch_if(f.compare("ne", entry, NULL, PTR), there := f.label("there"), fail)
        f.enter(there)
        return entry

    def _read_user(self, address: Operand, fail: Label) -> Operand:
        f = self.f
        value = self._word()
        result = self._helper("probe_read_user", (PTR, value), (I64, "8"), (I64, address))
        f.branch_if(f.compare("slt", f.narrow(result, 32, signed=True), "0"), fail, read := f.label("read"))
        f.enter(read)
        return f.load(value, 8, signed=False)

    def _read_member(self, base: Operand, structure: str, *names: str) -> Operand:
        """A word of a kernel structure, 0 if it cannot be read."""
        f = self.f
        value = self._word()
        offset = self._member(Kind.FIELD_BYTE_OFFSET, structure, *names)
        self._helper("probe_read_kernel", (PTR, value), (I64, "8"), (I64, f.binary("add", base, offset)))
        return f.load(value, 8, signed=False)

    def _has_member(self, structure: str, *names: str) -> Operand:
        return self.f.compare("ne", self._member(Kind.FIELD_EXISTS, structure, *names), "0")

    def _member(self, kind: Kind, structure: str, *names: str) -> Operand:
        root = _TYPES.structs[structure]
        current: Type = root
        steps: list[Field] = []
        for name in names:
            assert isinstance(current, Struct)
            member = current.member(name)
            assert member is not None
            steps.append(member)
            current = member.type
        return self.e.symbol_value(self.e.resources.constants.core(kind, root, tuple(steps), self.span))
