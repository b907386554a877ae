// Payloads, whole and spoilt. The arguments are payloads of hand-made tracers (hand_made.py --payload), or objects that the compiler
// has written, which hold one.
//
// Every payload is put right before a page that may not be touched, so that reading one byte too far ends the test; the
// test is also built with UBSan.
#include "shim/payload.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/actions.h"
#include "shim/constants.h"
#include "shim/kernel.h"
#include "tests/shim/check.h"

enum { HEADER_SIZE = 24, MUTATIONS = 1000, MAX_PAYLOAD = 1 << 16 };

static const char *const *files;
static int files_count;

// Everything that output may need is linked, so that validation does not refuse it.
extern const uint8_t bpftrace_payload[1];
const uint8_t bpftrace_payload[1] = {0};
extern const uint8_t bpftrace_payload_end[1];
const uint8_t bpftrace_payload_end[1] = {0};

static uint8_t *guarded_end;  // where the forbidden page begins

static void make_guarded(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  uint8_t *area = mmap(NULL, MAX_PAYLOAD + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED || mprotect(area + MAX_PAYLOAD, page, PROT_NONE) < 0)
    abort();
  guarded_end = area + MAX_PAYLOAD;
}

static size_t read_payload(const char *path, uint8_t *data) {
  static uint8_t file[2 * MAX_PAYLOAD];
  int fd = open(path, O_RDONLY);
  ssize_t size = fd < 0 ? -1 : read(fd, file, sizeof(file));
  close(fd);
  if (size <= 0 || size == sizeof(file))
    abort();
  const uint8_t *start = memmem(file, (size_t)size, "BPFTRACE", 8);
  if (!start || file + size - start < HEADER_SIZE)
    abort();
  uint32_t length;
  memcpy(&length, start + 12, sizeof(length));
  if (length > MAX_PAYLOAD - HEADER_SIZE || length > (size_t)(file + size - start) - HEADER_SIZE)
    abort();
  memcpy(data, start, HEADER_SIZE + length);
  return HEADER_SIZE + length;
}

// The reference: one bit at a time, straight from the polynomial.
static uint32_t crc32(const uint8_t *data, size_t size) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

static void put_u32(uint8_t *data, uint32_t value) {
  memcpy(data, &value, sizeof(value));
}

static int open_payload(const uint8_t *data, size_t size, struct pb_required_resources **resources) {
  uint8_t *copy = guarded_end - size;
  memcpy(copy, data, size);
  return payload_open(copy, size, resources);
}

static bool is_refused(const uint8_t *data, size_t size) {
  struct pb_required_resources *resources;
  if (open_payload(data, size, &resources))
    return true;
  free(resources);
  return false;
}

// Runs every action of resources that were accepted, on an event of random bytes that is exactly as large as was promised.
static void run_actions(const struct pb_required_resources *resources, int output) {
  static struct tracer tracer;
  tracer.resources = resources;
  tracer.maps = calloc(resources->maps_count + 1, sizeof(*tracer.maps));
  for (uint32_t i = 0; i < resources->maps_count; i++)
    tracer.maps[i] = (struct map){.info = &resources->maps[i], .fd = -1, .cpus = 1};
  writer_init(&tracer.out, output, WRITER_FULL);
  for (uint32_t i = 0; i < resources->actions_count; i++) {
    const struct pb_action *action = &resources->actions[i];
    size_t size = (size_t)action_event_size(resources, action);
    if (size > 1 << 20)
      continue;  // nothing in this test sends so much
    uint8_t *event = malloc(size);
    for (size_t at = 0; at < size; at++)
      event[at] = (uint8_t)random_below(256);
    action_run(&tracer, action, event, (uint32_t)size);
    free(event);
  }
  // And what loading would do with the instructions.
  tracer.constants = calloc(resources->constants_count + 1, sizeof(*tracer.constants));
  for (uint32_t i = 0; i < resources->constants_count; i++)
    tracer.constants[i].state = i % 2 || resources->constants[i].kind_case == PB_CONSTANT_KIND_KFUNC ? CONSTANT_CALL
                                                                                                     : CONSTANT_IMMEDIATE;
  for (uint32_t i = 0; i < resources->programs_count; i++) {
    const struct pb_program *program = &resources->programs[i];
    struct bpf_insn *instructions = malloc(program->instructions.size);
    memcpy(instructions, program->instructions.data, program->instructions.size);
    constants_apply(&tracer, program, instructions);
    free(instructions);
  }
  free(tracer.constants);
  free(tracer.maps);
}

static void whole_payloads_are_accepted(void) {
  uint8_t data[MAX_PAYLOAD];
  for (int i = 0; i < files_count; i++) {
    size_t size = read_payload(files[i], data);
    CHECK(!is_refused(data, size));
  }
}

static void every_changed_byte_is_refused(void) {
  uint8_t data[MAX_PAYLOAD];
  for (int i = 0; i < files_count; i++) {
    size_t size = read_payload(files[i], data);
    for (size_t at = 0; at < size; at++) {
      uint8_t change = (uint8_t)(1 + random_below(255));
      data[at] ^= change;
      CHECK(is_refused(data, size));
      data[at] ^= change;
    }
  }
}

static void every_truncation_is_refused(void) {
  uint8_t data[MAX_PAYLOAD];
  for (int i = 0; i < files_count; i++) {
    size_t size = read_payload(files[i], data);
    for (size_t cut = 0; cut < size; cut++) {
      CHECK(is_refused(data, cut));
      if (cut < HEADER_SIZE)
        continue;
      // also with a header that agrees
      uint8_t spoilt[MAX_PAYLOAD];
      memcpy(spoilt, data, cut);
      put_u32(spoilt + 12, (uint32_t)(cut - HEADER_SIZE));
      CHECK(is_refused(spoilt, cut));
    }
  }
}

static void other_versions_are_refused(void) {
  uint8_t data[MAX_PAYLOAD];
  size_t size = read_payload(files[0], data);
  for (uint32_t version = 0; version < 10; version++) {
    put_u32(data + 8, version);
    CHECK(is_refused(data, size) == (version != PAYLOAD_FORMAT_VERSION));
  }
}

static void mutate(uint8_t *message, size_t *size) {
  switch (random_below(4)) {
    case 0:  // a few bits
      for (uint32_t n = 1 + random_below(4); n; n--)
        message[random_below(*size)] ^= (uint8_t)(1u << random_below(8));
      break;
    case 1:  // a byte that is interesting in a varint
      message[random_below(*size)] = (uint8_t[]){0, 1, 0x7f, 0x80, 0xff}[random_below(5)];
      break;
    case 2: {  // a piece copied to another place
      uint32_t length = 1 + random_below(*size < 16 ? *size : 16);
      uint32_t from = random_below(*size - length + 1), to = random_below(*size - length + 1);
      memmove(message + to, message + from, length);
      break;
    }
    default: {  // a piece cut out
      uint32_t length = 1 + random_below(*size < 8 ? *size : 8);
      uint32_t from = random_below(*size - length + 1);
      memmove(message + from, message + from + length, *size - length - from);
      *size -= length;
      break;
    }
  }
}

// With a right checksum, so that decoding and validation are reached. Refused, or accepted and harmless.
static void mutations_are_refused_or_harmless(void) {
  uint8_t data[MAX_PAYLOAD], spoilt[MAX_PAYLOAD];
  int accepted = 0;
  int output = open("/dev/null", O_WRONLY);
  for (int i = 0; i < files_count; i++) {
    size_t whole = read_payload(files[i], data);
    for (int n = 0; n < MUTATIONS; n++) {
      size_t size = whole - HEADER_SIZE;
      memcpy(spoilt, data, whole);
      for (uint32_t rounds = 1 + random_below(3); rounds; rounds--)
        mutate(spoilt + HEADER_SIZE, &size);
      put_u32(spoilt + 12, (uint32_t)size);
      put_u32(spoilt + 16, crc32(spoilt + HEADER_SIZE, size));
      struct pb_required_resources *resources;
      if (open_payload(spoilt, size + HEADER_SIZE, &resources))
        continue;
      accepted++;
      run_actions(resources, output);
      free(resources);
    }
  }
  close(output);
  CHECK(accepted > 0);  // else nothing behind the validation was tried
}

// The decoder alone, on bytes that never were a message.
static void noise_is_harmless(void) {
  uint8_t data[256];
  for (int n = 0; n < 100 * MUTATIONS; n++) {
    uint32_t size = random_below(sizeof(data));
    for (uint32_t i = 0; i < size; i++)
      data[i] = (uint8_t)(random_below(3) ? random_below(20) : random_below(256));
    void *decoded;
    uint8_t *copy = guarded_end - size;
    memcpy(copy, data, size);
    if (!message_decode(message_layouts, PB_REQUIRED_RESOURCES_MESSAGE, copy, size, &decoded))
      free(decoded);
  }
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  files = (const char *const *)(argv + 1);
  files_count = argc - 1;
  // What payload_open() and the actions report is not of interest here.
  int silence = open("/dev/null", O_WRONLY);
  if (silence < 0 || dup2(silence, STDERR_FILENO) < 0)
    return 2;
  make_guarded();
  CHECK_CASE(whole_payloads_are_accepted);
  CHECK_CASE(every_changed_byte_is_refused);
  CHECK_CASE(every_truncation_is_refused);
  CHECK_CASE(other_versions_are_refused);
  CHECK_CASE(mutations_are_refused_or_harmless);
  CHECK_CASE(noise_is_harmless);
  return check_result();
}
