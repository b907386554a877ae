// What payload_open() promises about the resources, checked in one place: see payload.h for the list.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shim/actions.h"
#include "shim/attach/attach.h"
#include "shim/attach/build.h"
#include "shim/constants.h"
#include "shim/debug/source_lines.h"
#include "shim/demangle/demangle.h"
#include "shim/kernel.h"
#include "shim/output/value.h"
#include "shim/packets.h"
#include "shim/payload.h"
#include "shim/unwind/unwind.h"

// Features that may be missing: see features.h.
#pragma weak shim_print_map
#pragma weak shim_print_ustack_names
#pragma weak shim_demangle
#pragma weak shim_source_lines
#pragma weak shim_packets_open
#pragma weak shim_unwind_open

typedef const struct pb_required_resources resources_t;

// Every check returns NULL or what is wrong; the first finding ends it.
#define CHECK(condition, problem) \
  do {                            \
    if (!(condition))             \
      return problem;             \
  } while (0)
#define FORWARD(check)          \
  do {                          \
    const char *found = check;  \
    if (found)                  \
      return found;             \
  } while (0)

enum {
  MAX_STRING_WIDTH = 1 << 20,
  MAX_KEY_SIZE = 1 << 16,
  MAX_VALUE_SIZE = 1 << 26,
  MAX_INSTRUCTIONS = 1 << 20,
  PROGRAM_NAME_SIZE = 16,
  MAX_HISTOGRAM_BITS = 5,
  MAX_LINEAR_BUCKETS = 1 << 20,
  MAX_INTERVALS = 1 << 20,
};

static bool range_fits(uint64_t offset, uint64_t size, uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

// A name that goes into a path of tracefs: one component.
static bool is_path_component(const char *name) {
  return *name && *name != '.' && !strchr(name, '/');
}

static const char *check_spans(resources_t *r) {
  CHECK(r->spans_count > 0, "the span table is empty");
  for (uint32_t i = 0; i < r->spans_count; i++)
    CHECK(r->spans[i].parent < i || (i == 0 && r->spans[i].parent == 0), "a span's parent does not come before it");
  return NULL;
}

// The least size of a value, by kind; 0 where the fields decide or any size will do.
static const uint8_t least_sizes[] = {
    [PB_TYPE_INTEGER] = 1,   [PB_TYPE_BOOL] = 1,    [PB_TYPE_POINTER] = 8,   [PB_TYPE_STRING] = 1,
    [PB_TYPE_BUFFER] = 4,    [PB_TYPE_INET] = 24,   [PB_TYPE_MAC_ADDRESS] = 6, [PB_TYPE_KSYM] = 8,
    [PB_TYPE_USYM] = 16,     [PB_TYPE_USERNAME] = 8, [PB_TYPE_TIMESTAMP] = 16, [PB_TYPE_CGROUP_PATH] = 16,
    [PB_TYPE_PROBE] = 8,     [PB_TYPE_PARAMETER] = 8, [PB_TYPE_COUNT] = 8,   [PB_TYPE_SUM] = 8,       [PB_TYPE_MIN] = 16,
    [PB_TYPE_MAX] = 16,      [PB_TYPE_AVG] = 16,    [PB_TYPE_STATS] = 16,    [PB_TYPE_HIST] = 8,
    [PB_TYPE_LHIST] = 8,     [PB_TYPE_TSERIES] = 24,
};

static const char *check_fields(resources_t *r, const struct pb_type *type) {
  for (uint32_t i = 0; i < type->fields_count; i++) {
    const struct pb_field *field = &type->fields[i];
    CHECK(field->type < r->types_count, "a field's type is not in the table");
    const struct pb_type *inner = &r->types[field->type];
    CHECK(range_fits(field->offset, inner->size, type->size), "a field reaches out of its type");
    if (field->bit_size)
      CHECK(inner->kind == PB_TYPE_INTEGER || inner->kind == PB_TYPE_BOOL, "a bitfield is not an integer");
    CHECK(range_fits(field->bit_shift, field->bit_size, 8 * (uint64_t)inner->size), "a bitfield reaches out of its word");
  }
  return NULL;
}

static const char *check_type(resources_t *r, const struct pb_type *type) {
  uint32_t size = type->size;
  if (type->kind < sizeof(least_sizes))
    CHECK(size >= least_sizes[type->kind], "a type is too small for its kind");
  CHECK(size <= MAX_VALUE_SIZE, "a type is too large");
  CHECK(value_is_linked(type->kind), "the tracer was linked without the printing of a type");
  CHECK(type->kind != PB_TYPE_USYM || !r->config->cpp_demangle || shim_demangle != NULL, "the tracer was linked without a demangler");
  CHECK(type->enumeration < r->enums_count || type->enumeration == 0, "a type's enum is not in the table");
  CHECK(type->element < r->types_count || type->element == 0, "a type's element is not in the table");
  switch (type->kind) {
    case PB_TYPE_INTEGER:
    case PB_TYPE_BOOL:
      CHECK(size == 1 || size == 2 || size == 4 || size == 8, "a number's size is not 1, 2, 4 or 8");
      break;
    case PB_TYPE_ARRAY:
      CHECK(type->element, "an array has no element type");
      CHECK((uint64_t)type->count * r->types[type->element].size <= size, "an array reaches out of its type");
      break;
    case PB_TYPE_STRUCT:
    case PB_TYPE_UNION:
    case PB_TYPE_TUPLE:
    case PB_TYPE_RECORD:
      return check_fields(r, type);
    case PB_TYPE_TIMESTAMP:
      CHECK(type->clock <= PB_TYPE_SOFTWARE_TAI, "a timestamp's clock is unknown");
      break;
    case PB_TYPE_KSTACK:
    case PB_TYPE_USTACK:
      CHECK(type->stack_mode <= PB_TYPE_BUILD_ID, "a stack's mode is unknown");
      CHECK((type->kind == PB_TYPE_KSTACK ? 8 : 16) + (uint64_t)type->count * (type->stack_mode == PB_TYPE_BUILD_ID ? 32 : 8) <= size,
            "a stack reaches out of its type");
      CHECK(type->kind == PB_TYPE_KSTACK || type->stack_mode > PB_TYPE_PERF || shim_print_ustack_names != NULL,
            "the tracer was linked without the names of user stacks");
      CHECK(type->kind == PB_TYPE_KSTACK || type->stack_mode > PB_TYPE_PERF || !r->config->show_debug_info || shim_source_lines != NULL,
            "the tracer was linked without source lines");
      break;
    case PB_TYPE_HIST:
      CHECK(type->histogram_bits <= MAX_HISTOGRAM_BITS, "a histogram has too many bits");
      break;
    case PB_TYPE_LHIST:
      CHECK(type->lhist_step > 0 && type->lhist_min < type->lhist_max, "a linear histogram has no buckets");
      CHECK(((uint64_t)type->lhist_max - (uint64_t)type->lhist_min) / (uint64_t)type->lhist_step < MAX_LINEAR_BUCKETS,
            "a linear histogram has too many buckets");
      break;
    case PB_TYPE_TSERIES:
      CHECK(type->tseries_interval_ns && type->tseries_buckets && type->tseries_buckets <= MAX_INTERVALS,
            "a time series has no intervals or too many");
      CHECK(type->tseries_aggregate <= PB_TYPE_TSERIES_SUM, "a time series' aggregate is unknown");
      break;
    default:
      CHECK(type->kind <= PB_TYPE_PARAMETER || (type->kind >= PB_TYPE_COUNT && type->kind <= PB_TYPE_TSERIES),
            "a type's kind is unknown");
      break;
  }
  return NULL;
}

// How deep values of a type nest, so that printing may recurse. `depths` has 0 for types not seen yet; OPEN marks those
// that the recursion is in. Pointers are printed as numbers: what they point to does not count.
enum { DEPTH_OPEN = 255 };

static const char *check_nesting(resources_t *r, uint32_t index, uint8_t *depths, unsigned level) {
  const struct pb_type *type = &r->types[index];
  CHECK(depths[index] != DEPTH_OPEN, "a type contains itself");
  CHECK(level + depths[index] <= TYPE_NESTING, "types are nested too deep");
  if (depths[index])
    return NULL;
  depths[index] = DEPTH_OPEN;
  uint8_t deepest = 0;
  if (type->kind == PB_TYPE_ARRAY) {
    FORWARD(check_nesting(r, type->element, depths, level + 1));
    deepest = depths[type->element];
  }
  for (uint32_t i = 0; i < type->fields_count; i++) {
    FORWARD(check_nesting(r, type->fields[i].type, depths, level + 1));
    if (depths[type->fields[i].type] > deepest)
      deepest = depths[type->fields[i].type];
  }
  depths[index] = (uint8_t)(deepest + 1);
  return NULL;
}

static const char *check_types(resources_t *r) {
  CHECK(r->types_count > 0, "the type table is empty");
  for (uint32_t i = 0; i < r->types_count; i++) {
    const struct pb_type *type = &r->types[i];
    FORWARD(check_type(r, type));
    if (type->kind < PB_TYPE_STRUCT || type->kind > PB_TYPE_RECORD)
      CHECK(!type->fields_count, "a type that is no struct, union, tuple or record has fields");
  }
  uint8_t *depths = calloc(r->types_count, 1);
  CHECK(depths, "not enough memory");
  const char *found = NULL;
  for (uint32_t i = 0; !found && i < r->types_count; i++)
    found = check_nesting(r, i, depths, 1);
  free(depths);
  return found;
}

// Maps of maps, which shim/unwind/ fills.
static const char *check_unwind_map(const struct pb_map *map) {
  static const uint32_t value_sizes[] = {[PB_MAP_UNWIND_PROCESSES] = 32, [PB_MAP_UNWIND_ROWS] = 8, [PB_MAP_UNWIND_RULES] = 88};
  uint32_t size = map->role < sizeof(value_sizes) / sizeof(*value_sizes) ? value_sizes[map->role] : 0;
  CHECK(map->inner_value_size == size, "the arrays in a map have values of another size");
  if (!size)
    return NULL;
  uint32_t type = map->role == PB_MAP_UNWIND_PROCESSES ? BPF_MAP_TYPE_HASH_OF_MAPS : BPF_MAP_TYPE_ARRAY_OF_MAPS;
  CHECK(map->bpf_type == type && map->key_size == 4 && map->value_size == 4, "a map for dw_ustack is malformed");
  CHECK(shim_unwind_open != NULL, "dw_ustack was not linked");
  return NULL;
}

static const char *check_map(resources_t *r, const struct pb_map *map) {
  CHECK(map->span < r->spans_count, "a map's span is not in the table");
  CHECK(map->key_type < r->types_count && map->value_type < r->types_count, "a map's type is not in the table");
  const struct pb_type *key = &r->types[map->key_type], *value = &r->types[map->value_type];
  CHECK(map->key_size <= MAX_KEY_SIZE && map->value_size <= MAX_VALUE_SIZE, "a map's key or value is too large");
  CHECK(key->size <= map->key_size && value->size <= map->value_size, "a map's key or value is smaller than its type");
  CHECK(key->kind < PB_TYPE_COUNT, "a map's key is an aggregation");
  CHECK(map->initial_value.size <= map->value_size, "an initial value is larger than its map's values");
  if (value->kind == PB_TYPE_HIST || value->kind == PB_TYPE_LHIST || value->kind == PB_TYPE_TSERIES)
    CHECK(map->key_size >= 8 && key->size <= map->key_size - 8, "a map's key has no room for the bucket");
  bool is_array_of_one = map->key_size == 4 && map->max_entries == 1;
  switch (map->role) {
    case PB_MAP_USER:
      CHECK(map->key_size && map->value_size && map->value_type, "a map of the script has no key or value");
      CHECK(map->bpf_type != BPF_MAP_TYPE_RINGBUF, "a map of the script is a ring buffer");
      break;
    case PB_MAP_RING_BUFFER:
      CHECK(map->bpf_type == BPF_MAP_TYPE_RINGBUF && !map->key_size && !map->value_size, "the ring buffer is no ring buffer");
      CHECK(map->max_entries && !(map->max_entries & (map->max_entries - 1)), "the ring buffer's size is no power of two");
      CHECK(map->max_entries <= 1u << 30, "the ring buffer is too large");
      break;
    case PB_MAP_EVENT_LOSS:
      CHECK(map->bpf_type == BPF_MAP_TYPE_PERCPU_ARRAY && is_array_of_one && map->value_size == 8,
            "the loss counter is not a per-CPU array of one u64");
      break;
    case PB_MAP_GLOBAL_DATA:
      CHECK(map->bpf_type == BPF_MAP_TYPE_ARRAY && is_array_of_one && map->value_size, "global data is not an array of one entry");
      break;
    default:
      CHECK(map->role <= PB_MAP_UNWIND_RULES, "a map's role is unknown");
      FORWARD(check_unwind_map(map));
      CHECK(map->role != PB_MAP_TARGET_PLACES || (map->bpf_type == BPF_MAP_TYPE_ARRAY && map->key_size == 4 && map->value_size == 8),
            "the map of target places is malformed");
      CHECK(map->role != PB_MAP_TARGET_PLACES || shim_fill_target_places != NULL, "uaddr was not linked");
      CHECK(map->role != PB_MAP_USDT_ARGUMENTS || (map->bpf_type == BPF_MAP_TYPE_ARRAY && map->key_size == 4 && map->value_size == 192),
            "the map of USDT arguments is malformed");
      CHECK(map->role != PB_MAP_USDT_ARGUMENTS || shim_fill_usdt_arguments != NULL, "USDT probes were not linked");
      CHECK(map->role != PB_MAP_TARGET_NAMES ||
                (map->bpf_type == BPF_MAP_TYPE_ARRAY && map->key_size == 4 && map->value_size >= 2 && map->value_size % 2 == 0),
            "the map of target names is malformed");
      CHECK(map->role != PB_MAP_PACKETS || (map->bpf_type == BPF_MAP_TYPE_PERF_EVENT_ARRAY && map->key_size == 4 && map->value_size == 4),
            "the map of packets is malformed");
      CHECK(map->role != PB_MAP_PACKETS || shim_packets_open != NULL, "skboutput was not linked");
      break;
  }
  return NULL;
}

static const char *check_maps(resources_t *r) {
  unsigned ring_buffers = 0, loss_counters = 0, packets = 0, unwind_maps = 0;
  for (uint32_t i = 0; i < r->maps_count; i++) {
    const struct pb_map *map = &r->maps[i];
    FORWARD(check_map(r, map));
    ring_buffers += map->role == PB_MAP_RING_BUFFER;
    loss_counters += map->role == PB_MAP_EVENT_LOSS;
    packets += map->role == PB_MAP_PACKETS;
    unwind_maps |= map->role >= PB_MAP_UNWIND_PROCESSES ? 1u << (map->role - PB_MAP_UNWIND_PROCESSES) : 0;
    CHECK(map->role != PB_MAP_USER || !r->config->print_maps_on_exit || shim_print_map != NULL,
          "the tracer was linked without map printing");
  }
  CHECK(ring_buffers <= 1 && loss_counters <= 1 && packets <= 1, "there is more than one ring buffer, loss counter or map of packets");
  CHECK(unwind_maps == 0 || unwind_maps == 7, "a map for dw_ustack is missing");
  return NULL;
}

static bool is_access_string(const char *access) {
  unsigned parts = 0;
  while (*access >= '0' && *access <= '9') {
    size_t digits = strspn(access, "0123456789");
    access += digits;
    if (digits > 9 || ++parts > 64)
      return false;
    if (!*access)
      return true;
    if (*access++ != ':')
      return false;
  }
  return false;
}

static const char *check_constant(resources_t *r, const struct pb_constant *constant) {
  CHECK(constant->span < r->spans_count, "a constant's span is not in the table");
  CHECK(constant_is_linked(constant->kind_case), "a constant's kind is unknown or was not linked");
  switch (constant->kind_case) {
    case PB_CONSTANT_KIND_MAP:
      CHECK(constant->map->map < r->maps_count, "a constant's map is not in the table");
      break;
    case PB_CONSTANT_KIND_MAP_VALUE: {
      const struct pb_map_value *value = constant->map_value;
      CHECK(value->map < r->maps_count, "a constant's map is not in the table");
      CHECK(r->maps[value->map].role == PB_MAP_GLOBAL_DATA, "a constant points into a map that is not global data");
      CHECK(value->offset < r->maps[value->map].value_size, "a constant points behind its map's value");
      break;
    }
    case PB_CONSTANT_KIND_CORE:
      CHECK(constant->core->kind <= PB_CORE_RELOCATION_ENUM_VALUE, "a CO-RE relocation's kind is unknown");
      CHECK(is_access_string(constant->core->access), "a CO-RE relocation's access string is malformed");
      CHECK(r->btf.size, "there is a CO-RE relocation but no BTF");
      break;
    case PB_CONSTANT_KIND_TRACEPOINT_FIELD:
      CHECK(is_path_component(constant->tracepoint_field->category) && is_path_component(constant->tracepoint_field->event),
            "a tracepoint's name is malformed");
      CHECK(constant->tracepoint_field->property <= PB_TRACEPOINT_FIELD_EXISTS, "a tracepoint field's property is unknown");
      break;
    case PB_CONSTANT_KIND_USER_SYMBOL:
      CHECK(constant->user_symbol->probe < r->probes_count, "a user symbol's probe is not in the table");
      CHECK(constant->user_symbol->property <= PB_USER_SYMBOL_IS_FIXED, "a user symbol's property is unknown");
      break;
    case PB_CONSTANT_KIND_KFUNC_TEST:
      CHECK(constant->kfunc_test->probe < r->probes_count, "a kfunc's probe is not in the table");
      CHECK(constant->kfunc_test->question <= PB_KFUNC_TEST_ALLOWED, "the question about a kfunc is unknown");
      break;
    case PB_CONSTANT_KIND_HOST:
      CHECK(constant->host->kind <= PB_HOST_VALUE_PROGRAM_RESULT, "a host value's kind is unknown");
      break;
    case PB_CONSTANT_KIND_PARAMETER:
      CHECK(constant->parameter->parameter < r->parameters_count, "a constant's parameter is not in the table");
      CHECK(r->parameters[constant->parameter->parameter].kind == PB_PARAMETER_INTEGER ||
                r->parameters[constant->parameter->parameter].kind == PB_PARAMETER_BOOL,
            "a constant's parameter is no number");
      break;
    default:
      break;
  }
  return NULL;
}

static const char *check_relocation(resources_t *r, const struct pb_program *program, const struct pb_relocation *relocation) {
  const struct bpf_insn *instructions = (const struct bpf_insn *)(const void *)program->instructions.data;
  uint32_t count = program->instructions.size / sizeof(struct bpf_insn);
  CHECK(relocation->instruction < count, "a relocation's instruction is out of range");
  CHECK(relocation->constant < r->constants_count, "a relocation's constant is not in the table");
  struct bpf_insn instruction;
  memcpy(&instruction, &instructions[relocation->instruction], sizeof(instruction));
  if (r->constants[relocation->constant].kind_case == PB_CONSTANT_KIND_KFUNC) {
    CHECK(instruction.code == BPF_OPCODE_CALL, "a kfunc's relocation is not at a call");
    return NULL;
  }
  CHECK(instruction.code == BPF_OPCODE_LD_IMM64, "a relocation is not at a 64-bit load");
  CHECK(relocation->instruction + 1 < count, "a relocation's instruction is cut");
  return NULL;
}

static const char *check_program(resources_t *r, const struct pb_program *program) {
  CHECK(program->span < r->spans_count, "a program's span is not in the table");
  size_t name = strlen(program->name);
  CHECK(name > 0 && name < PROGRAM_NAME_SIZE, "a program's name is too long or empty");
  for (const char *at = program->name; *at; at++)
    CHECK((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == '.',
          "a program's name has characters that the kernel refuses");
  uint32_t size = program->instructions.size;
  CHECK(size && size % sizeof(struct bpf_insn) == 0, "a program has no whole instructions");
  uint32_t count = size / (uint32_t)sizeof(struct bpf_insn);
  CHECK(count <= MAX_INSTRUCTIONS, "a program is too long");
  for (uint32_t i = 0; i < program->relocations_count; i++)
    FORWARD(check_relocation(r, program, &program->relocations[i]));
  // Without function information the kernel silently ignores CO-RE relocations.
  CHECK(program->functions_count && !program->functions[0].instruction, "a program has no function information");
  CHECK(r->btf.size, "a program has function information but there is no BTF");
  for (uint32_t i = 1; i < program->functions_count; i++)
    CHECK(program->functions[i].instruction > program->functions[i - 1].instruction && program->functions[i].instruction < count,
          "a program's functions are out of order");
  return NULL;
}

static const char *check_argument(resources_t *r, const struct pb_argument *argument) {
  CHECK(argument->type && argument->type < r->types_count, "an argument's type is not in the table");
  CHECK(argument->offset >= EVENT_HEADER_SIZE, "an argument lies in the event's header");
  return NULL;
}

static const char *check_format(resources_t *r, const struct pb_format *format) {
  CHECK(format, "a format is missing");
  for (uint32_t i = 0; i < format->pieces_count; i++) {
    const struct pb_format_piece *piece = &format->pieces[i];
    CHECK(!*piece->conversion || !strcmp(piece->conversion, "%") || piece->argument, "a conversion has no argument");
    if (piece->argument)
      FORWARD(check_argument(r, piece->argument));
    CHECK(piece->width <= MAX_STRING_WIDTH && piece->precision <= MAX_STRING_WIDTH, "a width or precision is too large");
  }
  return NULL;
}

static const char *check_printable_map(resources_t *r, uint32_t map) {
  CHECK(map < r->maps_count && r->maps[map].role == PB_MAP_USER, "an action's map is not a map of the script");
  return NULL;
}

static const char *check_action_kind(resources_t *r, const struct pb_action *action) {
  switch (action->kind_case) {
    case PB_ACTION_KIND_PRINTF:
      return check_format(r, action->printf->format);
    case PB_ACTION_KIND_PRINT_MAP:
      return check_printable_map(r, action->print_map->map);
    case PB_ACTION_KIND_PRINT_VALUE:
      CHECK(action->print_value->argument, "print has no argument");
      return check_argument(r, action->print_value->argument);
    case PB_ACTION_KIND_CLEAR:
      return check_printable_map(r, action->clear->map);
    case PB_ACTION_KIND_ZERO:
      return check_printable_map(r, action->zero->map);
    case PB_ACTION_KIND_EXIT:
      if (!action->exit->code)
        return NULL;
      FORWARD(check_argument(r, action->exit->code));
      CHECK(r->types[action->exit->code->type].kind == PB_TYPE_INTEGER, "an exit code is not an integer");
      return NULL;
    case PB_ACTION_KIND_UNWATCH: {
      const struct pb_argument *address = action->unwatch->address;
      CHECK(address, "unwatch has no address");
      FORWARD(check_argument(r, address));
      const struct pb_type *type = &r->types[address->type];
      CHECK(type->kind == PB_TYPE_INTEGER && type->size == sizeof(uint64_t), "an address to unwatch is not an integer of 8 bytes");
      return NULL;
    }
    case PB_ACTION_KIND_JOIN:
      CHECK(action->join->offset >= EVENT_HEADER_SIZE, "an argument lies in the event's header");
      return NULL;
    case PB_ACTION_KIND_CAT:
      return check_format(r, action->cat->path);
    case PB_ACTION_KIND_SYSTEM:
      return check_format(r, action->system->command);
    case PB_ACTION_KIND_RUNTIME_ERROR:
      return action->runtime_error->result ? check_argument(r, action->runtime_error->result) : NULL;
    default:
      return NULL;
  }
}

static const char *check_action(resources_t *r, const struct pb_action *action) {
  CHECK(action->span < r->spans_count, "an action's span is not in the table");
  CHECK(action_is_linked(action->kind_case), "an action's kind is unknown or was not linked");
  FORWARD(check_action_kind(r, action));
  CHECK(action_event_size(r, action) <= EVENT_SIZE_LIMIT, "an event is too large");
  return NULL;
}

static const char *check_late_part(resources_t *r, const struct pb_late_part *part) {
  for (uint32_t i = 0; i < part->pieces_count; i++) {
    const struct pb_late_piece *piece = &part->pieces[i];
    CHECK(!piece->is_parameter ||
              (piece->parameter < r->parameters_count && r->parameters[piece->parameter].kind == PB_PARAMETER_WORD),
          "an attach point's parameter is no word");
  }
  return NULL;
}

static const char *check_probe(resources_t *r, const struct pb_probe *probe) {
  CHECK(probe->span < r->spans_count, "a probe's span is not in the table");
  CHECK(probe->program < r->programs_count, "a probe's program is not in the table");
  CHECK(attach_is_linked(probe->attach_case), "a probe's type is unknown or was not linked");
  if (probe->attach_case == PB_PROBE_ATTACH_UPROBE)
    CHECK(!probe->uprobe->demangled || shim_demangle, "the tracer was linked without a demangler");
  if (probe->attach_case == PB_PROBE_ATTACH_TRACEPOINT)
    CHECK(is_path_component(probe->tracepoint->category) && is_path_component(probe->tracepoint->event),
          "a tracepoint's name is malformed");
  bool has_build_id = (probe->attach_case == PB_PROBE_ATTACH_UPROBE && probe->uprobe->build_id.size) ||
                      (probe->attach_case == PB_PROBE_ATTACH_USDT && probe->usdt->build_id.size);
  CHECK(!has_build_id || shim_check_build != NULL, "the comparison of build ids was not linked");
  if (probe->attach_case == PB_PROBE_ATTACH_LATE)
    for (uint32_t i = 0; i < probe->late->parts_count; i++)
      FORWARD(check_late_part(r, &probe->late->parts[i]));
  return NULL;
}

static const char *check_parameter(resources_t *r, const struct pb_parameter *parameter) {
  CHECK(parameter->span < r->spans_count, "a parameter's span is not in the table");
  CHECK(parameter->position || *parameter->name, "a parameter has neither position nor name");
  CHECK(parameter->kind <= PB_PARAMETER_WORD, "a parameter's kind is unknown");
  if (parameter->kind != PB_PARAMETER_STRING)
    return NULL;
  CHECK(parameter->map < r->maps_count && r->maps[parameter->map].role == PB_MAP_GLOBAL_DATA,
        "a parameter's map is not global data");
  CHECK(parameter->size && range_fits(parameter->offset, parameter->size, r->maps[parameter->map].value_size),
        "a parameter lies outside its map's value");
  CHECK(parameter->default_string.size <= parameter->size, "a parameter's default is larger than its room");
  return NULL;
}

// Applies a check to every entry of a table.
#define CHECK_ALL(check, table)                           \
  do {                                                    \
    for (uint32_t index = 0; index < r->table##_count; index++) \
      FORWARD(check(r, &r->table[index]));                \
  } while (0)

const char *resources_validate(resources_t *r) {
#if defined(__x86_64__)
  const uint32_t architecture = PB_X86_64;
#elif defined(__aarch64__)
  const uint32_t architecture = PB_ARM64;
#else
#error "the shim does not know this architecture"
#endif
  CHECK(r->format_version == PAYLOAD_FORMAT_VERSION, "the format version differs from the header's");
  CHECK(r->arch == architecture, "it was compiled for another architecture");
  CHECK(r->script && r->config, "it has no script or no configuration");
  FORWARD(check_spans(r));
  FORWARD(check_types(r));
  FORWARD(check_maps(r));
  CHECK_ALL(check_parameter, parameters);
  CHECK_ALL(check_constant, constants);
  CHECK_ALL(check_program, programs);
  CHECK_ALL(check_action, actions);
  CHECK_ALL(check_probe, probes);
  for (uint32_t i = 0; i < r->requirements_count; i++)
    CHECK(r->requirements[i].span < r->spans_count, "a requirement's span is not in the table");
  return NULL;
}
