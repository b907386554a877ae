"""Only what a script needs is linked (shim/features.h): the symbols of tracers that were not stripped."""

import os
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

TRACERS = Path(os.environ.get("SHIM_TRACERS", Path(__file__).parent))
USER_SYMBOLS = {"elf_open", "user_symbols_open", "user_place_find", "shim_print_ustack", "shim_print_usym"}
KERNEL_SYMBOLS = {"kernel_symbol_name", "kallsyms_each", "shim_print_kstack"}


def symbols(name: str) -> set[str]:
    with (TRACERS / name).open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {symbol.name for symbol in table.iter_symbols()}


def test_kernel_stacks_need_no_user_symbols() -> None:
    linked = symbols("linked_kernel_stack")
    assert linked >= KERNEL_SYMBOLS
    assert linked.isdisjoint(USER_SYMBOLS)


def test_user_stacks_need_no_kernel_symbols() -> None:
    linked = symbols("linked_user_stack")
    assert linked >= USER_SYMBOLS
    assert linked.isdisjoint(KERNEL_SYMBOLS)
