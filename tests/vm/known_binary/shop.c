/*
 * Takes three orders, and weighs them. known_binary.bt names lines of this file.
 */
#include <stdio.h>

enum kind { DRINK = 1, DISH };

struct item {
#ifdef OTHER
	long id;
#endif
	char name[16];
	enum kind kind;
	unsigned int sold : 3, hot : 1;
	int price;
};

struct pair {
	long left, right;
};

struct mixed {
	double weight;
	int count;
};

__attribute__((noipa)) static int order(struct item *item, int count)
{
	item->sold += 1u;
	int sum = item->price * count;
	return sum;
}

__attribute__((noipa)) static long weigh(double scale, int count, float each, struct pair pair, long more,
					  struct item item, struct mixed mixed, long fee, short last)
{
	return (long)(scale * (double)each) * count + pair.left + more + item.price + mixed.count + fee + last;
}

int main(void)
{
	struct item items[] = {
		{.name = "tea", .kind = DRINK, .hot = 1, .price = 250},
		{.name = "cup", .kind = DISH, .price = 900},
		{.name = "spoon", .kind = DISH, .price = 120},
	};
	int sum = 0;

	for (int i = 0; i < 3; i++)
		sum += order(&items[i], i + 1);
	printf("sum %d, weight %ld\n", sum, weigh(2.0, 3, 4.0f, (struct pair){5, 6}, 7, items[2],
						    (struct mixed){8.0, 8}, 100, -9));
	return 0;
}
