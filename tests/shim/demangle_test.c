// Names of C++ and Rust functions: those of demangle_names.txt, and what comes of changing them.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/demangle/demangle.h"
#include "tests/shim/check.h"

enum { MAX_NAMES = 1024, LINE_SIZE = 4096, MUTATIONS = 400 };

static struct {
  char *name;
  char *demangled;
} names[MAX_NAMES];
static int names_count;

static char *copy(const char *text) {
  char *copied = strdup(text);
  if (!copied)
    abort();
  return copied;
}

static void read_names(const char *path) {
  FILE *file = fopen(path, "r");
  char line[LINE_SIZE];
  while (file && names_count < MAX_NAMES && fgets(line, sizeof(line), file)) {
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == ' ')
      names[names_count - 1].demangled = copy(line + 2);
    else if (line[0] != '#')
      names[names_count++].name = copy(line);
  }
  if (file)
    fclose(file);
}

static void known_names(void) {
  CHECK(names_count > 100);
  for (int i = 0; i < names_count; i++) {
    const char *demangled = shim_demangle(names[i].name);
    CHECK(!strcmp(demangled, names[i].demangled));
    if (strcmp(demangled, names[i].demangled) != 0)
      printf("  %s\n  is %s\n  not %s\n", names[i].name, demangled, names[i].demangled);
  }
}

// Into memory that ends where the name does, so that a byte read behind it is noticed.
static void demangle_exactly(const char *data, size_t size) {
  char *name = malloc(size + 1);
  if (!name)
    abort();
  memcpy(name, data, size);
  name[size] = '\0';
  CHECK(shim_demangle(name) != NULL);
  free(name);
}

static void truncations_are_harmless(void) {
  for (int i = 0; i < names_count; i++)
    for (size_t size = 0; size < strlen(names[i].name); size++)
      demangle_exactly(names[i].name, size);
}

static void mutations_are_harmless(void) {
  static const char alphabet[] = "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$.";
  for (int n = 0; n < MUTATIONS * names_count; n++) {
    char text[LINE_SIZE];
    const char *name = names[random_below((uint32_t)names_count)].name;
    size_t size = (size_t)(stpcpy(text, name) - text);
    for (uint32_t rounds = 1 + random_below(6); rounds; rounds--) {
      size_t at = 2 + random_below((uint32_t)size);
      if (at >= size)
        continue;
      if (random_below(2)) {
        text[at] = alphabet[random_below(sizeof(alphabet) - 1)];
        continue;
      }
      // A piece of the name again, somewhere else in it.
      size_t from = random_below((uint32_t)size), length = 1 + random_below(20);
      if (from + length > size || size + length > sizeof(text))
        continue;
      memmove(text + at + length, text + at, size - at);
      memmove(text + at, text + from, length);
      size += length;
    }
    demangle_exactly(text, size);
  }
}

static void repeat(const char *before, const char *repeated, int times, const char *behind) {
  size_t size = strlen(before) + strlen(repeated) * (size_t)times + strlen(behind);
  char *name = malloc(size + 1);
  if (!name)
    abort();
  char *at = stpcpy(name, before);
  for (int i = 0; i < times; i++)
    at = stpcpy(at, repeated);
  stpcpy(at, behind);
  demangle_exactly(name, size);
  free(name);
}

// Names that nest deeply, that stand for very much text, or for none in very many steps.
static void monsters_are_harmless(void) {
  static const struct {
    const char *before;
    const char *repeated;
    const char *behind;
  } monsters[] = {
      {"_Z1f", "P", "i"},
      {"_Z1fN", "1aN", ""},
      {"_Z1f", "1AI", "i"},
      {"_Z", "Z1f", ""},
      {"_Z1fIX", "nt", "Lb1EEEvv"},
      {"_Z1fILi", "1", "EEvv"},
      {"_Z1f", "FvF", "v"},
      {"_Z1f1AIiE", "S_IS0_S0_E", ""},
      {"_Z1fSt4pairIiiE", "S0_IS1_S1_E", ""},
      {"_Z1fIJEEv", "DpT_", ""},
      {"_Z1fIT_EvT_", "T_", ""},
      {"_Z1f", "i", ""},
      {"_Z", "9", "a"},
      {"_RINvC1a1b", "R", "hE"},
      {"_RINvC1a1b", "T", "E"},
      {"_RINvC1a1bT", "hB7_", "EE"},
      {"_RINvC1a1bTTB8_B8_E", "TB8_B8_E", "EE"},
      {"_R", "NvC1a", "1b"},
      {"_RIC1aFG", "z", "_EuE"},
      {"_ZN", "1a", "17h0123456789abcdefE"},
      {"_ZN4$LT$", "4.$u2", "17h0123456789abcdefE"},
  };
  for (size_t i = 0; i < sizeof(monsters) / sizeof(*monsters); i++)
    for (int times = 1; times < 20000; times *= 3)
      repeat(monsters[i].before, monsters[i].repeated, times, monsters[i].behind);
}

int main(int argc, char **argv) {
  read_names(argc > 1 ? argv[1] : "tests/shim/demangle_names.txt");
  CHECK_CASE(known_names);
  CHECK_CASE(truncations_are_harmless);
  CHECK_CASE(mutations_are_harmless);
  CHECK_CASE(monsters_are_harmless);
  for (int i = 0; i < names_count; i++) {
    free(names[i].name);
    free(names[i].demangled);
  }
  return check_result();
}
