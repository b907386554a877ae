// A program to trace: takes three orders.
#include <stdio.h>

struct item {
  char name[16];
  int price;
};

__attribute__((noipa)) static int order(const struct item *item, int count) {
  return item->price * count;
}

int main(void) {
  static const struct item items[] = {{"tea", 250}, {"cup", 900}, {"spoon", 120}};
  int sum = 0;
  for (int i = 0; i < 3; i++)
    sum += order(&items[i], i + 1);
  printf("sum %d\n", sum);
  return 0;
}
