// C++: types and template arguments.
#include <string.h>

#include "shim/demangle/cpp.h"

enum { FIRST = 'a' };  // of the letters that stand for builtin types

static const char *const builtins['z' - FIRST + 1] = {
    ['a' - FIRST] = "signed char", ['b' - FIRST] = "bool",           ['c' - FIRST] = "char",
    ['d' - FIRST] = "double",      ['e' - FIRST] = "long double",    ['f' - FIRST] = "float",
    ['g' - FIRST] = "__float128",  ['h' - FIRST] = "unsigned char",  ['i' - FIRST] = "int",
    ['j' - FIRST] = "unsigned int", ['l' - FIRST] = "long",          ['m' - FIRST] = "unsigned long",
    ['n' - FIRST] = "__int128",    ['o' - FIRST] = "unsigned __int128", ['s' - FIRST] = "short",
    ['t' - FIRST] = "unsigned short", ['v' - FIRST] = "void",        ['w' - FIRST] = "wchar_t",
    ['x' - FIRST] = "long long",   ['y' - FIRST] = "unsigned long long", ['z' - FIRST] = "...",
};

// Those whose code is D and another letter.
static const struct {
  char code;
  const char *name;
} more_builtins[] = {
    {'d', "decimal64"},     {'e', "decimal128"},         {'f', "decimal32"}, {'h', "half"},
    {'i', "char32_t"},      {'s', "char16_t"},           {'u', "char8_t"},   {'a', "auto"},
    {'c', "decltype(auto)"}, {'n', "decltype(nullptr)"},
};

static uint16_t builtin(struct cpp_tree *tree, const char *name, char code) {
  uint16_t node = cpp_add_text(tree, CPP_BUILTIN, name, strlen(name));
  tree->nodes[node].flags = (uint8_t)code;
  return node;
}

uint16_t cpp_parameters(struct cpp_tree *tree) {
  uint16_t list = cpp_add(tree, CPP_LIST, 0, 0), last = 0;
  if (!list)
    return 0;
  char next = cpp_peek(tree, 1);
  if (cpp_peek(tree, 0) == 'v' && (!next || next == 'E')) {
    tree->at++;
    return list;
  }
  do {
    if (!cpp_append(tree, list, &last, cpp_type(tree)))
      return 0;
    // What comes behind may also be the qualifier of a function type.
  } while (cpp_peek(tree, 0) && cpp_peek(tree, 0) != 'E' &&
           !((cpp_peek(tree, 0) == 'R' || cpp_peek(tree, 0) == 'O') && cpp_peek(tree, 1) == 'E'));
  return list;
}

static uint16_t function_type(struct cpp_tree *tree, uint8_t flags) {
  if (!cpp_take(tree, "F"))
    return 0;
  cpp_take(tree, "Y");  // extern "C"
  uint16_t result = cpp_type(tree);
  uint16_t parameters = result ? cpp_parameters(tree) : 0;
  if (!parameters)
    return 0;
  flags |= cpp_take(tree, "R") ? CPP_LVALUE_THIS : cpp_take(tree, "O") ? CPP_RVALUE_THIS : 0;
  uint16_t type = cpp_take(tree, "E") ? cpp_add(tree, CPP_FUNCTION_TYPE, result, parameters) : 0;
  tree->nodes[type].flags = flags;
  return type;
}

// A number, an expression, or nothing before the `_`.
static uint16_t with_size(struct cpp_tree *tree, enum cpp_kind kind) {
  const char *start = tree->at;
  uint16_t number, size = 0, node;
  if (cpp_number(tree, &number)) {
    node = cpp_add_text(tree, kind, start, (size_t)(tree->at - start));
  } else {
    if (cpp_peek(tree, 0) != '_' && !(size = cpp_expression(tree)))
      return 0;
    node = cpp_add(tree, kind, 0, size);
  }
  uint16_t element = cpp_take(tree, "_") ? cpp_type(tree) : 0;
  tree->nodes[node].left = element;
  return element ? node : 0;
}

uint16_t cpp_decltype(struct cpp_tree *tree) {
  tree->at += 2;
  uint16_t expression = cpp_expression(tree);
  return expression && cpp_take(tree, "E") ? cpp_add(tree, CPP_DECLTYPE, expression, 0) : 0;
}

// _Float16, _Float32x, std::bfloat16_t
static uint16_t extended_float(struct cpp_tree *tree) {
  static const struct {
    const char *code;
    const char *name;
  } known[] = {{"16b", "std::bfloat16_t"}, {"16_", "_Float16"},   {"32_", "_Float32"},   {"64_", "_Float64"},
               {"128_", "_Float128"},      {"32x", "_Float32x"}, {"64x", "_Float64x"}};
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
    if (cpp_take(tree, known[i].code))
      return builtin(tree, known[i].name, 0);
  return 0;
}

// D and a letter. `is_known` is set for what is not remembered.
static uint16_t type_of_d(struct cpp_tree *tree, bool *is_known) {
  char code = cpp_peek(tree, 1);
  for (size_t i = 0; i < sizeof(more_builtins) / sizeof(*more_builtins); i++) {
    if (more_builtins[i].code == code) {
      tree->at += 2;
      *is_known = true;
      return builtin(tree, more_builtins[i].name, 0);
    }
  }
  if (code == 't' || code == 'T')
    return cpp_decltype(tree);
  tree->at += 2;
  uint16_t inner;
  switch (code) {
    case 'p':
      inner = cpp_type(tree);
      return inner ? cpp_add(tree, CPP_EXPANSION, inner, 0) : 0;
    case 'o':
      return function_type(tree, CPP_NOEXCEPT);
    case 'v':
      return with_size(tree, CPP_VECTOR);
    case 'F':
      *is_known = true;
      return extended_float(tree);
    default:
      return 0;
  }
}

static uint16_t qualified_type(struct cpp_tree *tree) {
  uint8_t flags = 0;
  flags |= cpp_take(tree, "r") ? CPP_RESTRICT : 0;
  flags |= cpp_take(tree, "V") ? CPP_VOLATILE : 0;
  flags |= cpp_take(tree, "K") ? CPP_CONST : 0;
  if (cpp_peek(tree, 0) == 'F')
    return function_type(tree, flags);
  if (cpp_take(tree, "Do"))
    return function_type(tree, flags | CPP_NOEXCEPT);
  uint16_t inner = cpp_type(tree);
  uint16_t node = inner ? cpp_add(tree, CPP_QUALIFIERS, inner, 0) : 0;
  tree->nodes[node].flags = flags;
  return node;
}

static uint16_t suffixed(struct cpp_tree *tree, uint16_t of, const char *text, size_t size) {
  uint16_t node = of ? cpp_add_text(tree, CPP_SUFFIXED, text, size) : 0;
  tree->nodes[node].left = of;
  return node;
}

static uint16_t vendor_qualified(struct cpp_tree *tree) {
  uint16_t name = cpp_source_name(tree);
  if (!name)
    return 0;
  return suffixed(tree, cpp_type(tree), tree->nodes[name].text, tree->nodes[name].size);
}

static uint16_t member_pointer(struct cpp_tree *tree) {
  uint16_t class = cpp_type(tree);
  uint16_t member = class ? cpp_type(tree) : 0;
  return member ? cpp_add(tree, CPP_MEMBER_POINTER, class, member) : 0;
}

// A template parameter, with arguments if it is a template.
static uint16_t parameter_type(struct cpp_tree *tree) {
  uint16_t parameter = cpp_template_parameter(tree);
  if (!parameter || tree->in_conversion || cpp_peek(tree, 0) != 'I')
    return parameter;
  uint16_t arguments = cpp_remember(tree, parameter) ? cpp_template_arguments(tree) : 0;
  return arguments ? cpp_add(tree, CPP_TEMPLATE, parameter, arguments) : 0;
}

static uint16_t substituted_type(struct cpp_tree *tree, bool *is_known) {
  if (cpp_peek(tree, 1) == 't')
    return cpp_name(tree, NULL);
  uint16_t node = cpp_substitution(tree);
  if (!node || cpp_peek(tree, 0) != 'I' || (tree->in_conversion && tree->nodes[node].kind == CPP_TEMPLATE)) {
    *is_known = true;
    return node;
  }
  uint16_t arguments = cpp_template_arguments(tree);
  return arguments ? cpp_add(tree, CPP_TEMPLATE, node, arguments) : 0;
}

static uint16_t derived(struct cpp_tree *tree, enum cpp_kind kind) {
  tree->at++;
  uint16_t inner = cpp_type(tree);
  return inner ? cpp_add(tree, kind, inner, 0) : 0;
}

static uint16_t read_type(struct cpp_tree *tree, bool *is_known) {
  char first = cpp_peek(tree, 0), second = cpp_peek(tree, 1);
  switch (first) {
    case 'r':
    case 'V':
    case 'K':
      return qualified_type(tree);
    case 'P':
      return derived(tree, CPP_POINTER);
    case 'R':
      return derived(tree, CPP_REFERENCE);
    case 'O':
      return derived(tree, CPP_RVALUE_REFERENCE);
    case 'C':
      tree->at++;
      return suffixed(tree, cpp_type(tree), "_Complex", strlen("_Complex"));
    case 'G':
      tree->at++;
      return suffixed(tree, cpp_type(tree), "_Imaginary", strlen("_Imaginary"));
    case 'U':
      if (second == 'l' || second == 't')
        return cpp_name(tree, NULL);
      tree->at++;
      return vendor_qualified(tree);
    case 'F':
      return function_type(tree, 0);
    case 'A':
      tree->at++;
      return with_size(tree, CPP_ARRAY);
    case 'M':
      tree->at++;
      return member_pointer(tree);
    case 'D':
      return type_of_d(tree, is_known);
    case 'S':
      return substituted_type(tree, is_known);
    case 'T':
      if (second == 's' || second == 'u' || second == 'e') {
        tree->at += 2;  // struct, union, enum
        return cpp_name(tree, NULL);
      }
      return parameter_type(tree);
    case 'u':
      tree->at++;
      return cpp_source_name(tree);
    default:
      break;
  }
  if (first >= 'a' && first <= 'z' && builtins[first - FIRST]) {
    tree->at++;
    *is_known = true;
    return builtin(tree, builtins[first - FIRST], first);
  }
  return cpp_name(tree, NULL);
}

uint16_t cpp_type(struct cpp_tree *tree) {
  if (tree->depth == CPP_DEPTH)
    return 0;
  tree->depth++;
  bool is_known = false;
  uint16_t type = read_type(tree, &is_known);
  tree->depth--;
  return type && !is_known && !cpp_remember(tree, type) ? 0 : type;
}

uint16_t cpp_template_parameter(struct cpp_tree *tree) {
  uint16_t index;
  if (!cpp_take(tree, "T") || !cpp_index(tree, &index))
    return 0;
  uint16_t node = cpp_add(tree, CPP_PARAMETER, tree->scope, 0);
  if (!node)
    return 0;
  tree->nodes[node].size = index;
  // What is known now is taken now: while the arguments of a function are read, those of its class are meant.
  uint16_t argument = tree->nodes[tree->scope].right;
  for (; argument && index; index--)
    argument = tree->nodes[argument].right;
  if (argument)
    tree->nodes[node].right = tree->nodes[argument].left;
  return node;
}

static uint16_t template_argument(struct cpp_tree *tree) {
  uint16_t node;
  switch (cpp_peek(tree, 0)) {
    case 'X':
      tree->at++;
      node = cpp_expression(tree);
      return cpp_take(tree, "E") ? node : 0;
    case 'L':
      return cpp_literal(tree);
    case 'J':
      tree->at++;
      node = cpp_add(tree, CPP_LIST, 0, 0);
      for (uint16_t last = 0; node && !cpp_take(tree, "E");)
        if (!cpp_append(tree, node, &last, template_argument(tree)))
          return 0;
      return node ? cpp_add(tree, CPP_PACK, node, 0) : 0;
    default:
      return cpp_type(tree);
  }
}

uint16_t cpp_template_arguments(struct cpp_tree *tree) {
  uint16_t list = cpp_add(tree, CPP_LIST, 0, 0), last = 0;
  bool in_conversion = tree->in_conversion;
  tree->in_conversion = false;
  if (!list || !cpp_take(tree, "I") || tree->depth == CPP_DEPTH)
    return 0;
  tree->depth++;
  while (list && !cpp_take(tree, "E"))
    if (!cpp_append(tree, list, &last, template_argument(tree)))
      list = 0;
  tree->depth--;
  tree->in_conversion = in_conversion;
  return list;
}
