// C++: encodings and names.
#include <string.h>

#include "shim/demangle/cpp.h"

char cpp_peek(const struct cpp_tree *tree, size_t offset) {
  if (offset >= (size_t)(tree->end - tree->at))
    return '\0';
  return tree->at[offset];
}

bool cpp_take(struct cpp_tree *tree, const char *text) {
  size_t size = strlen(text);
  if (size > (size_t)(tree->end - tree->at) || memcmp(tree->at, text, size) != 0)
    return false;
  tree->at += size;
  return true;
}

uint16_t cpp_add(struct cpp_tree *tree, enum cpp_kind kind, uint16_t left, uint16_t right) {
  if (tree->nodes_count == CPP_NODES)
    return 0;
  tree->nodes[tree->nodes_count] = (struct cpp_node){.kind = (uint8_t)kind, .left = left, .right = right, .text = ""};
  return tree->nodes_count++;
}

uint16_t cpp_add_text(struct cpp_tree *tree, enum cpp_kind kind, const char *text, size_t size) {
  uint16_t node = size <= UINT16_MAX ? cpp_add(tree, kind, 0, 0) : 0;
  if (node) {
    tree->nodes[node].text = text;
    tree->nodes[node].size = (uint16_t)size;
  }
  return node;
}

static uint16_t add_number(struct cpp_tree *tree, enum cpp_kind kind, uint16_t number) {
  uint16_t node = cpp_add(tree, kind, 0, 0);
  tree->nodes[node].size = number;
  return node;
}

bool cpp_append(struct cpp_tree *tree, uint16_t list, uint16_t *last, uint16_t element) {
  if (!element)
    return false;
  if (!*last) {
    tree->nodes[list].left = element;
    *last = list;
    return true;
  }
  uint16_t added = cpp_add(tree, CPP_LIST, element, 0);
  tree->nodes[*last].right = added;
  *last = added;
  return added;
}

bool cpp_remember(struct cpp_tree *tree, uint16_t node) {
  if (!node || tree->substitutions_count == CPP_SUBSTITUTIONS)
    return false;
  tree->substitutions[tree->substitutions_count++] = node;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool cpp_number(struct cpp_tree *tree, uint16_t *number) {
  unsigned value = 0;
  if (!is_digit(cpp_peek(tree, 0)))
    return false;
  for (; is_digit(cpp_peek(tree, 0)); tree->at++) {
    value = 10 * value + (unsigned)(*tree->at - '0');
    if (value > UINT16_MAX - 2)
      return false;
  }
  *number = (uint16_t)value;
  return true;
}

bool cpp_index(struct cpp_tree *tree, uint16_t *index) {
  *index = 0;
  if (cpp_take(tree, "_"))
    return true;
  if (!cpp_number(tree, index) || !cpp_take(tree, "_"))
    return false;
  ++*index;
  return true;
}

uint16_t cpp_source_name(struct cpp_tree *tree) {
  static const char anonymous[] = "(anonymous namespace)";
  uint16_t size;
  if (!cpp_number(tree, &size) || !size || size > tree->end - tree->at)
    return 0;
  const char *text = tree->at;
  tree->at += size;
  if (size >= 10 && !memcmp(text, "_GLOBAL_", 8) && strchr("._$", text[8]) && text[9] == 'N')
    return cpp_add_text(tree, CPP_NAME, anonymous, sizeof(anonymous) - 1);
  return cpp_add_text(tree, CPP_NAME, text, size);
}

// The abbreviations of <substitution>: short, and in full for the names of constructors.
static const struct abbreviation {
  char code;
  const char *name;
  const char *full;
} abbreviations[] = {
    {'a', "std::allocator", "std::allocator"},
    {'b', "std::basic_string", "std::basic_string"},
    {'s', "std::string", "std::basic_string<char, std::char_traits<char>, std::allocator<char> >"},
    {'i', "std::istream", "std::basic_istream<char, std::char_traits<char> >"},
    {'o', "std::ostream", "std::basic_ostream<char, std::char_traits<char> >"},
    {'d', "std::iostream", "std::basic_iostream<char, std::char_traits<char> >"},
};

static uint16_t tags(struct cpp_tree *tree, uint16_t name);

// S_, S0_, Sa, ...; not St.
uint16_t cpp_substitution(struct cpp_tree *tree) {
  for (size_t i = 0; i < sizeof(abbreviations) / sizeof(*abbreviations); i++) {
    if (cpp_peek(tree, 1) != abbreviations[i].code)
      continue;
    tree->at += 2;
    bool is_class = cpp_peek(tree, 0) == 'C' || cpp_peek(tree, 0) == 'D';
    const char *name = is_class ? abbreviations[i].full : abbreviations[i].name;
    uint16_t node = cpp_add_text(tree, CPP_NAME, name, strlen(name));
    return cpp_peek(tree, 0) == 'B' ? tags(tree, node) : node;
  }
  tree->at++;
  unsigned number = 0;
  if (cpp_peek(tree, 0) != '_') {
    for (char c; (c = cpp_peek(tree, 0)) != '_'; tree->at++) {
      if (!is_digit(c) && (c < 'A' || c > 'Z'))
        return 0;
      number = 36 * number + (unsigned)(is_digit(c) ? c - '0' : c - 'A' + 10);
      if (number > CPP_SUBSTITUTIONS)
        return 0;
    }
    number++;
  }
  tree->at++;
  return number < tree->substitutions_count ? tree->substitutions[number] : 0;
}

// What constructors of a class are called.
static uint16_t class_name(struct cpp_tree *tree, uint16_t node) {
  for (int i = 0; i < CPP_DEPTH; i++) {
    const struct cpp_node *it = &tree->nodes[node];
    switch (it->kind) {
      case CPP_QUALIFIED:
      case CPP_LOCAL:
        node = it->right;
        break;
      case CPP_TEMPLATE:
      case CPP_TAGGED:
        node = it->left;
        break;
      case CPP_NAME: {  // of an abbreviation only the part between "std::" and its arguments
        if (it->size < 5 || memcmp(it->text, "std::", 5) != 0)
          return node;
        const char *arguments = memchr(it->text, '<', it->size);
        return cpp_add_text(tree, CPP_NAME, it->text + 5, (arguments ? (size_t)(arguments - it->text) : it->size) - 5);
      }
      default:
        return node;
    }
  }
  return 0;
}

static uint16_t constructor(struct cpp_tree *tree, uint16_t class) {
  bool is_destructor = *tree->at++ == 'D';
  bool is_inherited = !is_destructor && cpp_take(tree, "I");
  char variant = cpp_peek(tree, 0);
  if (!class || variant < (is_destructor ? '0' : '1') || variant > '5')
    return 0;
  tree->at++;
  if (is_inherited && !cpp_type(tree))
    return 0;
  uint16_t name = class_name(tree, class);
  return name ? cpp_add(tree, is_destructor ? CPP_DESTRUCTOR : CPP_CONSTRUCTOR, name, 0) : 0;
}

// Names, or parameters: up to E.
static uint16_t list_until_end(struct cpp_tree *tree, uint16_t (*element)(struct cpp_tree *)) {
  uint16_t list = cpp_add(tree, CPP_LIST, 0, 0), last = 0;
  while (list && !cpp_take(tree, "E"))
    if (!cpp_append(tree, list, &last, element(tree)))
      return 0;
  return list;
}

static uint16_t lambda(struct cpp_tree *tree) {
  uint16_t parameters = cpp_parameters(tree), number;
  if (!parameters || !cpp_take(tree, "E") || !cpp_index(tree, &number))
    return 0;
  uint16_t node = add_number(tree, CPP_LAMBDA, (uint16_t)(number + 1));
  tree->nodes[node].right = parameters;
  return node;
}

static uint16_t operator_name(struct cpp_tree *tree) {
  if (cpp_take(tree, "cv")) {
    bool was_in_conversion = tree->in_conversion;
    tree->in_conversion = true;
    uint16_t type = cpp_type(tree);
    tree->in_conversion = was_in_conversion;
    return type ? cpp_add(tree, CPP_CONVERSION, type, 0) : 0;
  }
  if (cpp_take(tree, "li")) {
    uint16_t name = cpp_source_name(tree);
    return name ? cpp_add_text(tree, CPP_LITERAL_OPERATOR, tree->nodes[name].text, tree->nodes[name].size) : 0;
  }
  const struct cpp_operator *operator= cpp_operator_at(tree);
  if (!operator)
    return 0;
  tree->at += 2;
  return cpp_add_text(tree, CPP_OPERATOR, operator->text, strlen(operator->text));
}

static uint16_t tags(struct cpp_tree *tree, uint16_t name) {
  while (name && cpp_take(tree, "B")) {
    uint16_t tag = cpp_source_name(tree);
    if (!tag)
      return 0;
    tag = cpp_add_text(tree, CPP_TAGGED, tree->nodes[tag].text, tree->nodes[tag].size);
    tree->nodes[tag].left = name;
    name = tag;
  }
  return name;
}

uint16_t cpp_unqualified_name(struct cpp_tree *tree, uint16_t class) {
  uint16_t name = 0, number;
  cpp_take(tree, "L");  // seen inside its source file only
  char first = cpp_peek(tree, 0), second = cpp_peek(tree, 1);
  if (is_digit(first)) {
    name = cpp_source_name(tree);
  } else if (first == 'D' && second == 'C') {
    tree->at += 2;
    uint16_t names = list_until_end(tree, cpp_source_name);
    name = names ? cpp_add(tree, CPP_BINDING, 0, names) : 0;
  } else if (first == 'C' || first == 'D') {
    name = constructor(tree, class);
  } else if (cpp_take(tree, "Ut")) {
    name = cpp_index(tree, &number) ? add_number(tree, CPP_UNNAMED, (uint16_t)(number + 1)) : 0;
  } else if (cpp_take(tree, "Ul")) {
    name = lambda(tree);
  } else if (first >= 'a' && first <= 'z') {
    name = operator_name(tree);
  }
  return tags(tree, name);
}

static bool begins_name(const struct cpp_tree *tree) {
  char first = cpp_peek(tree, 0);
  return is_digit(first) || (first >= 'a' && first <= 'z') || strchr("CDUL", first);
}

// What qualifies a name, and the name: N ... E.
static uint16_t nested_name(struct cpp_tree *tree, uint8_t *flags) {
  uint8_t found = 0;
  for (;; tree->at++) {
    char c = cpp_peek(tree, 0);
    if (c != 'r' && c != 'V' && c != 'K')
      break;
    found |= c == 'r' ? CPP_RESTRICT : c == 'V' ? CPP_VOLATILE : CPP_CONST;
  }
  found |= cpp_take(tree, "R") ? CPP_LVALUE_THIS : cpp_take(tree, "O") ? CPP_RVALUE_THIS : 0;
  if (flags)
    *flags = found;
  uint16_t name = 0;
  bool is_new = false;  // whether it is to be remembered, which the whole name is not
  while (!cpp_take(tree, "E")) {
    if (is_new && !cpp_remember(tree, name))
      return 0;
    is_new = true;
    uint16_t part = 0;
    char first = cpp_peek(tree, 0), second = cpp_peek(tree, 1);
    if (first == 'I') {
      if (!name || tree->nodes[name].kind == CPP_TEMPLATE || !(part = cpp_template_arguments(tree)))
        return 0;
      if (flags)
        tree->nodes[tree->scope].right = part;
      name = cpp_add(tree, CPP_TEMPLATE, name, part);
    } else if (first == 'M' && name) {
      tree->at++;  // of a lambda in the initializer of a member
      is_new = false;
    } else if (!name && first == 'S' && second == 't') {
      tree->at += 2;
      name = cpp_add_text(tree, CPP_NAME, "std", 3);
      is_new = false;
    } else if (!name && first == 'S') {
      name = cpp_substitution(tree);
      is_new = false;
    } else if (!name && first == 'T') {
      name = cpp_template_parameter(tree);
    } else if (!name && first == 'D' && (second == 't' || second == 'T')) {
      name = cpp_decltype(tree);
    } else if (begins_name(tree)) {
      part = cpp_unqualified_name(tree, name);
      name = !part || !name ? part : cpp_add(tree, CPP_QUALIFIED, name, part);
    } else {
      return 0;
    }
    if (!name)
      return 0;
  }
  return name;
}

// Of entities with the same name in one function. What is not one may come next.
static void skip_discriminator(struct cpp_tree *tree) {
  const char *start = tree->at;
  uint16_t number;
  if (!cpp_take(tree, "_"))
    return;
  bool is_long = cpp_take(tree, "_");
  if (is_long ? !cpp_number(tree, &number) || !cpp_take(tree, "_") : !is_digit(cpp_peek(tree, 0)))
    tree->at = start;
  else if (!is_long)
    tree->at++;
}

// Z ... E: in a function.
static uint16_t local_name(struct cpp_tree *tree, uint8_t *flags) {
  uint16_t scope = tree->scope, number;
  uint16_t function = cpp_encoding(tree, true);
  tree->scope = scope;
  if (!function || !cpp_take(tree, "E"))
    return 0;
  uint16_t entity;
  if (cpp_take(tree, "s")) {
    entity = cpp_add_text(tree, CPP_NAME, "string literal", strlen("string literal"));
  } else if (cpp_take(tree, "d")) {
    if (!cpp_index(tree, &number))
      return 0;
    function = cpp_add(tree, CPP_QUALIFIED, function, add_number(tree, CPP_DEFAULT_ARGUMENT, (uint16_t)(number + 1)));
    entity = cpp_name(tree, flags);
  } else {
    entity = cpp_name(tree, flags);
  }
  skip_discriminator(tree);
  return function && entity ? cpp_add(tree, CPP_LOCAL, function, entity) : 0;
}

static uint16_t read_name(struct cpp_tree *tree, uint8_t *flags) {
  if (cpp_take(tree, "N"))
    return nested_name(tree, flags);
  if (cpp_take(tree, "Z"))
    return local_name(tree, flags);
  uint16_t name;
  bool is_known = false;
  if (cpp_peek(tree, 0) == 'S' && cpp_peek(tree, 1) != 't') {
    name = cpp_substitution(tree);
    is_known = true;
    if (cpp_peek(tree, 0) != 'I')
      return 0;
  } else if (cpp_take(tree, "St")) {
    uint16_t in_std = cpp_unqualified_name(tree, 0);
    name = in_std ? cpp_add(tree, CPP_QUALIFIED, cpp_add_text(tree, CPP_NAME, "std", 3), in_std) : 0;
  } else {
    name = cpp_unqualified_name(tree, 0);
  }
  if (!name || cpp_peek(tree, 0) != 'I')
    return name;
  if (!is_known && !cpp_remember(tree, name))
    return 0;
  uint16_t arguments = cpp_template_arguments(tree);
  if (flags)
    tree->nodes[tree->scope].right = arguments;
  return arguments ? cpp_add(tree, CPP_TEMPLATE, name, arguments) : 0;
}

uint16_t cpp_name(struct cpp_tree *tree, uint8_t *flags) {
  if (tree->depth == CPP_DEPTH)
    return 0;
  tree->depth++;
  bool was_in_conversion = tree->in_conversion;
  tree->in_conversion = false;
  uint16_t name = read_name(tree, flags);
  tree->in_conversion = was_in_conversion;
  tree->depth--;
  return name;
}

static bool skip_signed(struct cpp_tree *tree) {
  uint16_t number;
  cpp_take(tree, "n");
  return cpp_number(tree, &number) && cpp_take(tree, "_");
}

static bool skip_call_offset(struct cpp_tree *tree) {
  if (cpp_take(tree, "h"))
    return skip_signed(tree);
  return cpp_take(tree, "v") && skip_signed(tree) && skip_signed(tree);
}

static uint16_t special(struct cpp_tree *tree, const char *text, uint16_t of) {
  uint16_t node = of ? cpp_add_text(tree, CPP_SPECIAL, text, strlen(text)) : 0;
  tree->nodes[node].left = of;
  return node;
}

// Tables and functions that compilers make: T..., G....
static uint16_t special_name(struct cpp_tree *tree) {
  static const struct {
    char code[3];
    const char *text;
    uint16_t (*of)(struct cpp_tree *);
  } of_types[] = {
      {"TV", "vtable for ", cpp_type},
      {"TT", "VTT for ", cpp_type},
      {"TI", "typeinfo for ", cpp_type},
      {"TS", "typeinfo name for ", cpp_type},
  };
  static const char *const of_names[][2] = {
      {"TW", "TLS wrapper function for "}, {"TH", "TLS init function for "}, {"GV", "guard variable for "}};
  for (size_t i = 0; i < sizeof(of_types) / sizeof(*of_types); i++)
    if (cpp_take(tree, of_types[i].code))
      return special(tree, of_types[i].text, of_types[i].of(tree));
  for (size_t i = 0; i < sizeof(of_names) / sizeof(*of_names); i++)
    if (cpp_take(tree, of_names[i][0]))
      return special(tree, of_names[i][1], cpp_name(tree, NULL));
  if (cpp_take(tree, "TC")) {
    uint16_t derived = cpp_type(tree), number;
    if (!derived || !cpp_number(tree, &number) || !cpp_take(tree, "_"))
      return 0;
    uint16_t base = cpp_type(tree);
    return base ? cpp_add(tree, CPP_CONSTRUCTION_VTABLE, base, derived) : 0;
  }
  if (cpp_take(tree, "Tc")) {
    for (int i = 0; i < 2; i++)  // of `this` and of the result
      if (!skip_call_offset(tree))
        return 0;
    return special(tree, "covariant return thunk to ", cpp_encoding(tree, false));
  }
  if (cpp_peek(tree, 0) == 'T' && (cpp_peek(tree, 1) == 'h' || cpp_peek(tree, 1) == 'v')) {
    const char *text = *++tree->at == 'h' ? "non-virtual thunk to " : "virtual thunk to ";
    return skip_call_offset(tree) ? special(tree, text, cpp_encoding(tree, false)) : 0;
  }
  if (cpp_take(tree, "GR")) {
    uint16_t name = cpp_name(tree, NULL), number = 0;
    if (!name || (tree->at < tree->end && !cpp_index(tree, &number)))
      return 0;
    uint16_t node = add_number(tree, CPP_REFERENCE_TEMPORARY, number);
    tree->nodes[node].left = name;
    return node;
  }
  if (cpp_take(tree, "GTt"))
    return special(tree, "transaction clone for ", cpp_encoding(tree, false));
  return 0;
}

// Only functions that are templates say what they return, but for constructors, destructors and conversions.
static bool has_result(const struct cpp_tree *tree, uint16_t name) {
  bool is_template = false;
  for (int i = 0; i < CPP_DEPTH; i++) {
    const struct cpp_node *it = &tree->nodes[name];
    switch (it->kind) {
      case CPP_TEMPLATE:
        is_template = true;
        name = it->left;
        break;
      case CPP_TAGGED:
        name = it->left;
        break;
      case CPP_QUALIFIED:
      case CPP_LOCAL:
        name = it->right;
        break;
      case CPP_CONSTRUCTOR:
      case CPP_DESTRUCTOR:
      case CPP_CONVERSION:
        return false;
      default:
        return is_template;
    }
  }
  return false;
}

static bool is_at_end(const struct cpp_tree *tree) {
  char c = cpp_peek(tree, 0);
  return !c || c == 'E';
}

static uint16_t function(struct cpp_tree *tree, bool is_local) {
  uint8_t flags = 0;
  uint16_t scope = cpp_add(tree, CPP_SCOPE, 0, 0);
  tree->scope = scope;
  uint16_t name = scope ? cpp_name(tree, &flags) : 0, result = 0;
  tree->scope = scope;
  if (!name || is_at_end(tree))
    return name;
  if (has_result(tree, name) && !(result = cpp_type(tree)))
    return 0;
  uint16_t parameters = cpp_parameters(tree);
  // Where it is only the place of something else, what it returns does not matter.
  uint16_t type = parameters ? cpp_add(tree, CPP_FUNCTION_TYPE, is_local ? 0 : result, parameters) : 0;
  if (!type)
    return 0;
  tree->nodes[type].flags = flags;
  uint16_t node = cpp_add(tree, CPP_FUNCTION, name, type);
  tree->nodes[node].size = scope;
  return node;
}

uint16_t cpp_encoding(struct cpp_tree *tree, bool is_local) {
  if (tree->depth == CPP_DEPTH)
    return 0;
  tree->depth++;
  char first = cpp_peek(tree, 0);
  uint16_t node = first == 'T' || first == 'G' ? special_name(tree) : function(tree, is_local);
  tree->depth--;
  return node;
}

bool cpp_demangle(const char *name, size_t size, struct text *text) {
  static struct cpp_tree tree;
  tree.at = name;
  tree.end = name + size;
  tree.nodes_count = 1;  // number 0 stands for none
  tree.nodes[0] = (struct cpp_node){.text = ""};
  tree.substitutions_count = tree.scope = tree.depth = 0;
  tree.in_conversion = false;
  uint16_t root = cpp_encoding(&tree, false);
  return root && tree.at == tree.end && cpp_print(&tree, root, text);
}
