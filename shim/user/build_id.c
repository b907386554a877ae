#include "shim/user/build_id.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

struct found {
  const uint8_t *id;
  size_t size;
};

// A note is three words (sizes of name and content, type), the name and the content, both padded to 4 bytes.
static int take_note(void *context, const char *section_name, const struct elf_section *section) {
  struct found *found = context;
  Elf64_Nhdr note;
  if (section->type != SHT_NOTE || strcmp(section_name, ".note.gnu.build-id") != 0 || section->size < sizeof(note) + sizeof("GNU"))
    return 0;
  memcpy(&note, section->data, sizeof(note));
  const uint8_t *name = section->data + sizeof(note), *content = name + sizeof("GNU");
  bool is_build_id = note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") && !memcmp(name, "GNU", sizeof("GNU"));
  if (!is_build_id || note.n_descsz > section->size - sizeof(note) - sizeof("GNU"))
    return 0;
  *found = (struct found){content, note.n_descsz};
  return 1;
}

size_t elf_build_id(const struct elf *elf, const uint8_t **id) {
  struct found found = {0};
  elf_each_section(elf, take_note, &found);
  *id = found.id;
  return found.size;
}
