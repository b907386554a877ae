// Names of C++ and Rust functions as programmers write them.
#ifndef SHIM_DEMANGLE_DEMANGLE_H
#define SHIM_DEMANGLE_DEMANGLE_H

// The demangled name, which stays until the next call; `name` itself if it is not mangled, or too large or too deep for the memory
// that is set aside, or uses what is not known here. Any text is safe.
//
// C++ is as the Itanium ABI has it (https://itanium-cxx-abi.github.io/cxx-abi/abi.html#mangling), and as GNU's c++filt prints it with
// the names of the standard library kept short. Rust is printed without the hashes that tell versions of a crate apart.
const char *shim_demangle(const char *name);

#endif
