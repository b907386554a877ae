"""Who is running: the current task, its ids and names, the processor."""

from __future__ import annotations

from compiler.analysis.check_library import signal_number
from compiler.codegen import cold, errors, memory
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types.lattice import Pointer
from proto import required_resources_pb2 as pb

COMM_SIZE = 16


def _in_tracer_namespace(node: ast.Builtin | ast.Call) -> bool:
    """`pid(init)` asks for the id in the initial namespace; any other form for that in the tracer's."""
    match node:
        case ast.Call(arguments=[ast.Identifier(name="init")]):
            return False
        case _:
            return True


def _pid_tgid(e: Emitter, node: ast.Builtin | ast.Call) -> Operand:
    """Process id << 32 | thread id, which a namespace other than the initial one renumbers.

    Which of the two ways is taken is known when the program is loaded, so the other one costs nothing.
    """
    if not _in_tracer_namespace(node):
        return e.f.once("global ids", lambda: e.helper("get_current_pid_tgid"))
    return e.f.once("ids", lambda: _namespace_ids(e))


def _namespace_ids(e: Emitter) -> Operand:
    f, constants = e.f, e.resources.constants
    initial = e.symbol_value(constants.host(pb.HostValue.IN_INITIAL_PID_NAMESPACE))
    inside, outside, done = f.label("namespace"), f.label("initial"), f.label("id")
    f.branch_if(f.compare("ne", initial, "0"), outside, inside)
    f.enter(outside)
    global_ids = e.helper("get_current_pid_tgid")
    f.branch(done)
    f.enter(inside)
    own_ids = cold.namespace_ids(f, constants)
    f.enter(done)
    return f.phi([(global_ids, outside), (own_ids, inside)])


def process_id(e: Emitter, node: ast.Builtin | ast.Call) -> Operand:
    return e.f.binary("lshr", _pid_tgid(e, node), "32")


@builtin("pid")
def pid(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Operand:
    return process_id(e, node)


@builtin("tid")
def tid(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Operand:
    return e.f.narrow(_pid_tgid(e, node), 32, signed=False)


def _uid_gid(e: Emitter) -> Operand:
    return e.f.once("uid and gid", lambda: e.helper("get_current_uid_gid"))


@builtin("uid", "username")
def uid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(_uid_gid(e), 32, signed=False)


@builtin("gid")
def gid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.binary("lshr", _uid_gid(e), "32")


@builtin("comm")
def comm(e: Emitter, node: ast.Builtin, into: Place | None) -> Place:
    # The helper wants memory that is its own: the place may be larger or not aligned.
    target = into or e.temporary(COMM_SIZE, node.span)
    memory.clear(e, target, COMM_SIZE, node.span)
    e.helper("get_current_comm", ptr(target.address), i64(str(COMM_SIZE)))  # fails only where there is no task
    return target


@builtin("cpu")
def cpu(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.once("cpu", lambda: e.f.narrow(e.helper("get_smp_processor_id"), 32, signed=False))


@builtin("ncpus")
def ncpus(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.symbol_value(e.resources.constants.host(pb.HostValue.POSSIBLE_CPUS))


@builtin("numaid")
def numaid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(e.helper("get_numa_node_id"), 32, signed=False)


@builtin("curtask")
def curtask(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.once("curtask", lambda: e.helper("get_current_task"))


@builtin("cgroup")
def cgroup(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.helper("get_current_cgroup_id")


@builtin("cpid")
def cpid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.symbol_value(e.resources.constants.host(pb.HostValue.CHILD_PID))


@builtin("has_cpid")
def has_cpid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.symbol_value(e.resources.constants.host(pb.HostValue.HAS_CHILD))


@builtin("signal", "signal_thread")
def signal(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    helper = "send_signal" if node.name == "signal" else "send_signal_thread"
    argument = node.arguments[0]
    number = str(signal_number(argument.value)) if isinstance(argument, ast.String) else e.scalar(argument)
    errors.check_helper(e, helper, e.helper(helper, i64(number)), node.span)
    return "0"


@builtin("write_user")
def write_user(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """Whether it went well."""
    target, source, size = node.arguments
    if isinstance(source.type, Pointer):
        assert isinstance(size, ast.Integer)  # as the type checker has it
        count: Operand = str(size.value)
        place = e.temporary(max(size.value, 1), node.span)
        memory.read(e, memory.pointee(*memory.pointer_to(e, source)), place, count, node.span)
    else:
        place = memory.in_bpf_memory(e, source)
        count = e.f.minimum(e.scalar(size), str(source.type.size))
    result = e.helper("probe_write_user", i64(e.scalar(target)), ptr(place.address), i64(count))
    return e.f.boolean(e.f.compare("eq", e.f.narrow(result, 32, signed=True), "0"))


@builtin("rand")
def rand(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(e.helper("get_prandom_u32"), 32, signed=False)
