// Defines what shapes.c only declares.
struct elsewhere {
  long secret;
};

long reveal(struct elsewhere *value) {
  return value->secret;
}
