"""From LLVM's object file to the tracer object: takes the ELF apart, builds the RequiredResources, writes host objects.

Formats: ELF (elf(5)), eBPF instructions (Documentation/bpf/standardization/instruction-set.rst of the kernel),
BTF (Documentation/bpf/btf.rst), relocation types (Documentation/bpf/llvm_reloc.rst).
"""
