// What the program is told: getenv(NAME), or all of environ, here sorted and a
// variable a line.
//
// cc -o /tmp/dump-env examples/dump-env/dump-env.c

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
	size_t n = 0;

	while (environ[n])
		n++;
	qsort(environ, n, sizeof *environ, compare);
	for (size_t i = 0; i < n; i++)
		puts(environ[i]);
	return 0;
}
