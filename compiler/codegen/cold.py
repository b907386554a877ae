"""Code that runs rarely, in functions of its own: called from every program that may need it, which keeps them small.

They take and return i64 only. The module has each at most once; the object's flattening copies into a program what it
calls. Those whose result nobody looks at are global functions: the verifier checks them once, not at every call.
"""

from __future__ import annotations

from compiler.codegen.ir import I64, NULL, PTR, Function, Module, Operand
from compiler.helpers import HELPERS
from compiler.object.constants import Constants
from compiler.object.sections import FUNCTION_PREFIX, GLOBAL_PREFIX
from proto import required_resources_pb2 as pb


def _begin(module: Module, name: str, *parameters: str) -> Function:
    typed = [(I64, parameter) for parameter in parameters]
    return Function(module, name, FUNCTION_PREFIX + name, typed, "internal")


def _begin_global(module: Module, name: str, *parameters: str) -> Function:
    """Not internal, or LLVM would leave out parameters that are always the same."""
    typed = [(I64, parameter) for parameter in parameters]
    return Function(module, name, f"{GLOBAL_PREFIX}{len(parameters)}.{name}", typed, "hidden")


def _has(module: Module, name: str) -> bool:
    return any(function.name == name for function in module.functions)


def count_lost_event(f: Function, event_loss: str) -> None:
    """Calls the function that counts an event which the ring buffer had no room for."""
    name = "count_lost_event"
    if not _has(f.module, name):
        g = _begin_global(f.module, name)
        key = g.alloca(4, 4)
        g.store("0", key, 4)
        counter = g.call_pointer_helper(HELPERS["map_lookup_elem"].id, (PTR, g.module.symbol(event_loss)), (PTR, key))
        present, done = g.label("present"), g.label("done")
        g.branch_if(g.compare("ne", counter, NULL, PTR), present, done)
        g.enter(present)
        g.store(g.binary("add", g.load(counter, 8, signed=False), "1"), counter, 8)
        g.enter(done)
        g.ret("0")
    f.call_function(name)


def report_error(f: Function, ring_buffer: str, event_loss: str, action: int, result: Operand) -> None:
    """Calls the function that sends the event of a run-time error: the action, and a number, in the lower 32 bits."""
    name = "report_error"
    if not _has(f.module, name):
        g = _begin_global(f.module, name, "%action", "%result")
        event = g.alloca(16)
        g.store("%action", event, 8)
        g.store("%result", g.offset(event, 8), 8)
        sent = g.call_helper(
            HELPERS["ringbuf_output"].id, (PTR, g.module.symbol(ring_buffer)), (PTR, event), (I64, "16"), (I64, "0")
        )
        lost, done = g.label("lost"), g.label("done")
        g.branch_if(g.compare("slt", sent, "0"), lost, done)
        g.enter(lost)
        count_lost_event(g, event_loss)
        g.enter(done)
        g.ret("0")
    f.call_function(name, str(action), result)


def namespace_ids(f: Function, constants: Constants) -> Operand:
    """Calls the function that gives process id << 32 | thread id in the tracer's PID namespace, 0 outside of it."""
    name = "namespace_ids"
    if not _has(f.module, name):
        g = _begin(f.module, name)
        info = g.alloca(8)  # struct bpf_pidns_info { u32 pid; u32 tgid; }
        g.store("0", info, 8)
        device, inode = (
            g.module.symbol_value(constants.host(kind))
            for kind in (pb.HostValue.PID_NAMESPACE_DEVICE, pb.HostValue.PID_NAMESPACE_INODE)
        )
        g.call_helper(HELPERS["get_ns_current_pid_tgid"].id, (I64, device), (I64, inode), (PTR, info), (I64, "8"))
        g.ret(g.load(info, 8, signed=False))
    return f.call_function(name)


def is_other_process(f: Function, constants: Constants) -> Operand:
    """Calls the function that says (by 1) whether the current process is not the one given by -p."""
    name = "is_other_process"
    if not _has(f.module, name):
        g = _begin(f.module, name)

        def value(kind: pb.HostValue.Kind) -> Operand:
            return g.module.symbol_value(constants.host(kind))

        initial, inside, done = g.label("initial"), g.label("inside"), g.label("done")
        g.branch_if(g.compare("ne", value(pb.HostValue.IN_INITIAL_PID_NAMESPACE), "0"), initial, inside)
        g.enter(initial)
        both = g.call_helper(HELPERS["get_current_pid_tgid"].id)
        after_initial = g.current
        g.branch(done)
        g.enter(inside)
        own = namespace_ids(g, constants)
        after_inside = g.current
        g.branch(done)
        g.enter(done)
        process = g.binary("lshr", g.phi([(both, after_initial), (own, after_inside)]), "32")
        g.ret(g.value(f"zext i1 {g.compare('ne', process, value(pb.HostValue.TARGET_PID))} to i64"))
    return f.call_function(name)


def read_small_number(f: Function, helper: str, address: Operand, size: Operand, *, signed: bool) -> Operand:
    """Calls the function that reads an integer of less than 8 bytes and extends it."""
    name = f"{helper}_{'signed' if signed else 'unsigned'}"
    if not _has(f.module, name):
        g = _begin(f.module, name, "%address", "%size")
        number = g.alloca(8)
        g.store("0", number, 8)
        bytes_ = g.minimum("%size", "8")
        g.call_helper(HELPERS[helper].id, (PTR, number), (I64, bytes_), (I64, "%address"))
        value = g.load(number, 8, signed=False)
        if signed:
            unused = g.binary("and", g.binary("sub", "64", g.binary("shl", bytes_, "3")), "63")
            value = g.binary("ashr", g.binary("shl", value, unused), unused)
        g.ret(value)
    return f.call_function(name, address, size)


_NO_REGISTER = 0xFFFF
_IN_MEMORY, _SIGNED = 1, 2


def usdt_argument(f: Function, where: str, context: Operand, cookie: Operand, index: int) -> Operand:
    """Calls the function that reads an argument of a USDT probe from where the target's binary says that it is.

    The map `where` has the places, see USDT_ARGUMENTS of required_resources.proto; 0 if the probe has no such argument.
    """
    name = "usdt_argument"
    if not _has(f.module, name):
        g = _begin(f.module, name, "%context", "%cookie", "%offset")
        value, key = g.alloca(8), g.alloca(4, 4)
        g.store("0", value, 8)
        g.store("%cookie", key, 4)
        places = g.call_pointer_helper(HELPERS["map_lookup_elem"].id, (PTR, g.module.symbol(where)), (PTR, key))
        known, done = g.label("known"), g.label("done")
        g.branch_if(g.compare("ne", places, NULL, PTR), known, done)
        g.enter(known)
        place = g.value(f"getelementptr i8, ptr {places}, i64 %offset")
        base = g.load(place, 8, signed=True)

        def add_register(register: Operand, shift: Operand, hint: str) -> None:
            """Adds a register of the context to the value, if there is one."""
            there, after = g.label(hint), g.label(f"{hint}.done")
            g.branch_if(g.compare("ne", register, str(_NO_REGISTER)), there, after)
            g.enter(there)
            read = g.alloca(8)
            g.store("0", read, 8)
            # The verifier does not allow loads from the context at an offset that it does not know.
            address = g.binary("add", "%context", register)
            g.call_helper(HELPERS["probe_read_kernel"].id, (PTR, read), (I64, "8"), (I64, address))
            addend = g.binary("shl", g.load(read, 8, signed=False), shift)
            g.store(g.binary("add", g.load(value, 8, signed=False), addend), value, 8)
            g.branch(after)
            g.enter(after)

        g.store(base, value, 8)
        add_register(g.load(g.offset(place, 8), 2, signed=False), "0", "base")
        add_register(
            g.load(g.offset(place, 10), 2, signed=False), g.load(g.offset(place, 13), 1, signed=False), "index"
        )
        flags = g.load(g.offset(place, 12), 1, signed=False)
        memory, read = g.label("memory"), g.label("read")
        g.branch_if(g.compare("ne", g.binary("and", flags, str(_IN_MEMORY)), "0"), memory, read)
        g.enter(memory)
        address = g.load(value, 8, signed=False)
        g.call_helper(HELPERS["probe_read_user"].id, (PTR, value), (I64, "8"), (I64, address))
        g.branch(read)
        g.enter(read)
        bits = g.binary("and", g.load(g.offset(place, 14), 1, signed=False), "63")
        wide = g.binary("shl", g.load(value, 8, signed=False), bits)
        signed = g.compare("ne", g.binary("and", flags, str(_SIGNED)), "0")
        g.ret(g.value(f"select i1 {signed}, i64 {g.binary('ashr', wide, bits)}, i64 {g.binary('lshr', wide, bits)}"))
        g.enter(done)
        g.ret("0")
    return f.call_function(name, context, cookie, str(16 * index))
