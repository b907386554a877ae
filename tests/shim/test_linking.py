"""Only what a script needs is linked (shim/features.h): symbols of tracers that were not stripped, and sizes."""

import os
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

TRACERS = Path(os.environ.get("SHIM_TRACERS", Path(__file__).parent))
USER_SYMBOLS = {
    "elf_open", "user_symbols_open", "user_place_find", "shim_print_ustack_names", "shim_mappings_open",
}  # fmt: skip
KERNEL_SYMBOLS = {"kernel_symbol_name", "kallsyms_each", "shim_print_kstack"}
DEMANGLER = {"shim_demangle", "cpp_demangle", "cpp_print", "rust_demangle", "rust_v0_demangle"}
SOURCE_LINES = {"shim_source_lines", "dwarf_open", "dwarf_find"}
DEMANGLER_SIZE = 16_000  # its code and constants have at least so many bytes
SOURCE_LINES_SIZE = 6_000


def symbols(name: str) -> set[str]:
    with (TRACERS / name).open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {symbol.name for symbol in table.iter_symbols()}


def loaded_size(name: str) -> int:
    """Bytes of the file that the kernel maps."""
    with (TRACERS / name).open("rb") as file:
        return sum(segment["p_filesz"] for segment in ELFFile(file).iter_segments("PT_LOAD"))


def test_kernel_stacks_need_no_user_symbols() -> None:
    linked = symbols("linked_kernel_stack")
    assert linked >= KERNEL_SYMBOLS
    assert linked.isdisjoint(USER_SYMBOLS | DEMANGLER)


def test_user_stacks_need_no_kernel_symbols() -> None:
    linked = symbols("linked_user_stack")
    assert linked >= USER_SYMBOLS | DEMANGLER
    assert linked.isdisjoint(KERNEL_SYMBOLS | SOURCE_LINES)


def test_source_lines_are_asked_for() -> None:
    linked = symbols("linked_source_lines")
    assert linked >= USER_SYMBOLS | DEMANGLER | SOURCE_LINES
    assert loaded_size("linked_source_lines") > loaded_size("linked_user_stack") + SOURCE_LINES_SIZE


def test_mangled_names_need_no_demangler() -> None:
    linked = symbols("linked_mangled")
    assert linked >= USER_SYMBOLS
    assert linked.isdisjoint(DEMANGLER)
    assert loaded_size("linked_mangled") < loaded_size("linked_user_stack") - DEMANGLER_SIZE


def test_uprobes_of_any_build_compare_no_build_ids() -> None:
    linked = symbols("linked_uprobe")
    assert "elf_each_function" in linked
    assert linked.isdisjoint({"shim_check_build", "elf_build_id"} | DEMANGLER)


def test_uprobes_outside_of_archives_read_none() -> None:
    assert symbols("linked_uprobe").isdisjoint({"shim_zip_find", "zip_find"})
    assert symbols("linked_archived") >= {"shim_zip_find", "zip_find"}


def test_packets_are_a_feature() -> None:
    packets = {"shim_packets_open", "shim_packets_drain", "shim_packets_close", "pcap_put"}
    assert symbols("linked_packets") >= packets
    assert symbols("linked_uprobe").isdisjoint(packets)


def test_unwinding_is_a_feature() -> None:
    unwinding = {
        "shim_unwind_open",
        "shim_unwind_run_to_entry",
        "shim_action_unwind_refresh",
        "cfi_read",
        "mappings_read",
    }
    linked = symbols("linked_unwinding")
    assert linked >= unwinding
    assert linked.isdisjoint(
        {"user_symbols_open", "user_place_find", "shim_print_ustack_names"} | KERNEL_SYMBOLS | DEMANGLER
    )
    assert symbols("linked_addresses").isdisjoint(unwinding)


def test_addresses_need_no_symbols() -> None:
    linked = symbols("linked_addresses")
    assert "shim_print_ustack" in linked
    assert linked.isdisjoint(USER_SYMBOLS | KERNEL_SYMBOLS | DEMANGLER)
