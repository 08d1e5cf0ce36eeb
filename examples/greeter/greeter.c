// Not buffered: setvbuf with _IOLBF flushes at the end of each line.
//
// cc -o /tmp/greeter examples/greeter/greeter.c

#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	char *name = NULL;
	size_t size = 0;
	ssize_t n;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	while ((n = getline(&name, &size, stdin)) > 0) {
		if (name[n - 1] == '\n')
			name[n - 1] = '\0';
		printf("Hello, %s!\n", name);
	}
	free(name);
	return 0;
}
