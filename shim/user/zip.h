// ELF files inside of ZIP archives, from which processes map them (as Android does with the libraries in an .apk).
//
// Format: APPNOTE.TXT of PKWARE, 6.3. The member must be as mmap() needs it: stored without compression, at a multiple of a page's size.
#ifndef SHIM_USER_ZIP_H
#define SHIM_USER_ZIP_H

#include <stddef.h>
#include <stdint.h>

// Finds where the data of a member begin. Returns NULL, or what is wrong: the end of a sentence about the member.
const char *zip_find(const uint8_t *data, size_t size, const char *member, uint64_t *start);

// The same in an archive by its path. A feature: see features.h.
const char *shim_zip_find(const char *archive, const char *member, uint64_t *start);

#endif
