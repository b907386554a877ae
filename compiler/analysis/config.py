"""Pass: settings.

Before: a parsed program. After: a Config with every setting of the script's config block and of the environment, which
takes precedence; settings that are unknown, malformed or not supported yet have been reported.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import Span, is_utf8
from compiler.types.lattice import StackMode

Value = int | str | bool


@dataclass(frozen=True, slots=True)
class Config:
    """The script's settings, by upstream's names and with upstream's defaults. Enumerations are their lower-case
    names.
    """

    cache_user_symbols: str = "per_pid"
    cpp_demangle: bool = True
    lazy_symbolication: bool = True
    license: str = "GPL"
    log_size: int = 1_000_000
    max_bpf_progs: int = 1024
    max_cat_bytes: int = 10240
    max_map_keys: int = 4096
    max_probes: int = 1024
    max_strlen: int = 1024
    missing_probes: str = "error"
    on_stack_limit: int = 32
    perf_rb_pages: int = 0
    """0: sized by what the script sends."""
    print_maps_on_exit: bool = True
    show_debug_info: bool = False
    """Whether user stacks show source lines and inlined functions. Upstream's default depends on how it was built."""
    stack_mode: StackMode = StackMode.BPFTRACE
    str_trunc_trailer: str = ".."
    unstable_dw_ustack: str = "warn"
    unstable_import_statement: str = "error"
    unstable_tseries: str = "warn"
    unstable_typeinfo: str = "error"
    use_blazesym: bool = True


LICENSES = (
    "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
)  # fmt: skip

_SHOWN = (
    "cpp_demangle", "lazy_symbolication", "print_maps_on_exit", "use_blazesym", "show_debug_info",
    "log_size", "max_bpf_progs", "max_cat_bytes", "max_map_keys", "max_probes", "max_strlen", "on_stack_limit",
    "perf_rb_pages",
    "str_trunc_trailer", "unstable_import_statement", "unstable_tseries", "unstable_typeinfo", "unstable_dw_ustack",
    "missing_probes", "stack_mode", "license",
)  # fmt: skip
"""What the builtin `config` has, in upstream's order."""

_DEPRECATED = frozenset(
    {
        "symbol_source",
        "max_type_res_iterations",
        "unstable_addr",
        "unstable_import",
        "unstable_macro",
        "unstable_map_decl",
    }
)
_RENAMED: Mapping[str, str] = {
    "strlen": "max_strlen",
    "no_cpp_demangle": "cpp_demangle",
    "cat_bytes_max": "max_cat_bytes",
    "map_keys_max": "max_map_keys",
}
_LARGEST: Mapping[str, int] = {
    "max_map_keys": (1 << 32) - 1,
    "max_strlen": (1 << 31) - 1,
    "perf_rb_pages": 1 << 19,  # rings of 2 GB
}
"""Of the numbers that are smaller than the others, which have 64 bits."""
_LARGEST_NUMBER = (1 << 64) - 1
_ENVIRONMENT_ONLY = frozenset({"btf", "kernel_build", "kernel_source", "vmlinux"})


class _BadValue(Exception):
    """A value that its setting does not take; the text follows the setting's name in the message."""


def _integer(name: str, value: Value) -> int:
    if isinstance(value, str):
        try:
            return int(value.replace("_", ""), 0)
        except ValueError:
            raise _BadValue(f"{name}: expecting a number, got {value}") from None
    return int(value)


def _boolean(name: str, value: Value) -> bool:
    if isinstance(value, str):
        if value.lower() in ("1", "true", "on", "yes"):
            return True
        if value.lower() in ("0", "false", "off", "no"):
            return False
        raise _BadValue(f"{name}: Invalid bool value: valid values are true, false, 1 or 0.")
    return bool(value)


def _text(name: str, value: Value) -> str:
    if isinstance(value, str) and not is_utf8(value):
        raise _BadValue(f"{name}: Invalid value: it has to be UTF-8.")
    return value if isinstance(value, str) else str(int(value))


def _license(_name: str, value: Value) -> str:
    if value not in LICENSES:
        raise _BadValue(
            f"Invalid value for license. Found: {_text('', value)}. Valid values: {', '.join(LICENSES)}. Read more "
            "about BPF programs and licensing: https://docs.kernel.org/bpf/"
            "bpf_licensing.html#using-bpf-programs-in-the-linux-kernel"
        )
    return str(value)


def _missing_probes(name: str, value: Value) -> str:
    if isinstance(value, str) and value.lower() in ("ignore", "warn", "error"):
        return value.lower()
    raise _BadValue(f"{name}: Invalid value for missing_probes: valid values are ignore, warn, and error.")


def _symbol_cache(name: str, value: Value) -> str:
    text = _text(name, value).lower()
    match text:
        case "per_pid" | "per_program":
            return text
        case "none" | "0":
            return "none"
        case _ if text.isdecimal():
            return Config().cache_user_symbols
        case _:
            raise _BadValue(
                f"{name}: Invalid value for cache_user_symbols: valid values are PER_PID, PER_PROGRAM, and NONE."
            )


NO_STACK_MODE = "Invalid value for stack_mode: valid values are bpftrace, raw, perf, and build_id."


def _stack_mode(name: str, value: Value) -> StackMode:
    try:
        return StackMode(value)
    except ValueError:
        raise _BadValue(f"{name}: {NO_STACK_MODE}") from None


def _unstable(name: str, value: Value) -> str:
    text = _text(name, value).lower()
    if text in ("enable", "warn", "error"):
        return text
    try:
        return "enable" if _boolean(name, value) else "error"
    except _BadValue:
        raise _BadValue(
            f"{name}: Invalid value for unstable config: valid values are enable, warn, and error."
        ) from None


_SPECIAL: Mapping[str, Callable[[str, Value], object]] = {
    "license": _license,
    "missing_probes": _missing_probes,
    "cache_user_symbols": _symbol_cache,
    "stack_mode": _stack_mode,
    "unstable_dw_ustack": _unstable,
    "unstable_import_statement": _unstable,
    "unstable_tseries": _unstable,
    "unstable_typeinfo": _unstable,
}
_BY_TYPE: Mapping[str, Callable[[str, Value], object]] = {"int": _integer, "bool": _boolean, "str": _text}
SETTINGS: Mapping[str, Callable[[str, Value], object]] = {
    item.name: _SPECIAL.get(item.name) or _BY_TYPE[str(item.type)] for item in dataclasses.fields(Config)
}
"""How each setting reads its value."""


def run(program: ast.Program, environment: Mapping[str, str], sink: DiagnosticSink) -> Config:
    config = Config()
    for setting in program.config.settings if program.config else ():
        config = _apply(config, setting, sink)
    for name in SETTINGS:
        variable = f"BPFTRACE_{name.upper()}"
        if variable in environment:
            config = _set(config, name, variable, environment[variable], None, sink)
    return config


def record(config: Config, span: Span) -> ast.Record:
    """The value of the builtin `config`."""
    return ast.Record(
        [ast.NamedArgument(name, _literal(getattr(config, name), span), span=span) for name in _SHOWN], span=span
    )


def _literal(value: Value | StackMode, span: Span) -> ast.Expression:
    match value:
        case bool():
            return ast.Boolean(value, span=span)
        case int():
            return ast.Integer(value, span=span)
        case StackMode():
            return ast.String(value.value, span=span)
        case _:
            return ast.String(value, span=span)


def _apply(config: Config, setting: ast.ConfigSetting, sink: DiagnosticSink) -> Config:
    name = setting.name.lower().removeprefix("bpftrace_")
    if name in _DEPRECATED:
        sink.warning("config-deprecated", f"{name} is deprecated and has no effect", setting.span)
        return config
    if name in _RENAMED:
        name = _RENAMED[name]
        sink.warning("config-renamed", f"{setting.name} has been renamed, please use {name}", setting.span)
    if name in _ENVIRONMENT_ONLY:
        sink.error("config-unknown", f"{setting.name}: can only be set as an environment variable", setting.span)
        return config
    if name not in SETTINGS:
        close = difflib.get_close_matches(name, SETTINGS, 1)
        hints = [f"Did you mean {close[0]}?"] if close else []
        sink.error("config-unknown", f"{setting.name}: not a known configuration option", setting.span, hints=hints)
        return config
    return _set(config, name, name, setting.value, setting.span, sink)


def _set(config: Config, name: str, shown: str, value: Value, span: Span | None, sink: DiagnosticSink) -> Config:
    """`shown` is what messages call the setting."""
    try:
        read = SETTINGS[name](shown, value)
    except _BadValue as bad:
        sink.error("config-value", str(bad), span)
        return config
    most = _LARGEST.get(name, _LARGEST_NUMBER)
    if isinstance(read, int) and not 0 <= read <= most:
        sink.error("config-value", f"{shown}: expecting a number from 0 to {most}, got {read}", span)
        return config
    changes: dict[str, Any] = {name: read}
    return dataclasses.replace(config, **changes)
