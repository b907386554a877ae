"""Who is running: the current task, its ids and names, the processor."""

from __future__ import annotations

from compiler.analysis.check_library import signal_number
from compiler.codegen import cold, errors, memory
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from proto import required_resources_pb2 as pb

COMM_SIZE = 16


def _in_tracer_namespace(node: ast.Builtin | ast.Call) -> bool:
    """`pid(init)` asks for the id in the initial namespace; any other form for that in the tracer's."""
    match node:
        case ast.Call(arguments=[ast.Identifier(name="init")]):
            return False
        case _:
            return True


def _pid_tgid(e: Emitter, node: ast.Builtin | ast.Call, offset: int) -> Operand:
    """The thread id (offset 0) or process id (offset 4), which a namespace other than the initial one renumbers.

    Which of the two ways is taken is known when the program is loaded, so the other one costs nothing.
    """
    f, constants = e.f, e.resources.constants
    if not _in_tracer_namespace(node):
        return _global_id(e, offset)
    initial = e.symbol_value(constants.host(pb.HostValue.IN_INITIAL_PID_NAMESPACE))
    inside, outside, done = f.label("namespace"), f.label("initial"), f.label("id")
    f.branch_if(f.compare("ne", initial, "0"), outside, inside)
    f.enter(outside)
    global_id = _global_id(e, offset)
    after_global = f.current
    f.branch(done)
    f.enter(inside)
    own_id = _part(e, cold.namespace_ids(f, constants), offset)
    after_own = f.current
    f.enter(done)
    return f.phi([(global_id, after_global), (own_id, after_own)])


def _global_id(e: Emitter, offset: int) -> Operand:
    return _part(e, e.helper("get_current_pid_tgid"), offset)


def _part(e: Emitter, both: Operand, offset: int) -> Operand:
    if offset:
        return e.f.binary("lshr", both, "32")
    return e.f.narrow(both, 32, signed=False)


def process_id(e: Emitter, node: ast.Builtin | ast.Call) -> Operand:
    return _pid_tgid(e, node, 4)


@builtin("pid")
def pid(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Operand:
    return process_id(e, node)


@builtin("tid")
def tid(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Operand:
    return _pid_tgid(e, node, 0)


@builtin("uid", "username")
def uid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(e.helper("get_current_uid_gid"), 32, signed=False)


@builtin("gid")
def gid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.binary("lshr", e.helper("get_current_uid_gid"), "32")


@builtin("comm")
def comm(e: Emitter, node: ast.Builtin, into: Place | None) -> Place:
    # The helper wants memory that is its own: the place may be larger or not aligned.
    target = into or e.temporary(COMM_SIZE, node.span)
    memory.clear(e, target, COMM_SIZE, node.span)
    e.helper("get_current_comm", ptr(target.address), i64(str(COMM_SIZE)))  # fails only where there is no task
    return target


@builtin("cpu")
def cpu(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(e.helper("get_smp_processor_id"), 32, signed=False)


@builtin("ncpus")
def ncpus(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.symbol_value(e.resources.constants.host(pb.HostValue.POSSIBLE_CPUS))


@builtin("numaid")
def numaid(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(e.helper("get_numa_node_id"), 32, signed=False)


@builtin("curtask")
def curtask(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.helper("get_current_task")


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
    place = memory.in_bpf_memory(e, source)
    count = e.f.minimum(e.scalar(size), str(source.type.size))
    result = e.helper("probe_write_user", i64(e.scalar(target)), ptr(place.address), i64(count))
    return e.f.boolean(e.f.compare("eq", e.f.narrow(result, 32, signed=True), "0"))


@builtin("rand")
def rand(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.f.narrow(e.helper("get_prandom_u32"), 32, signed=False)
