// Counts to ten. Not buffered: setvbuf with _IOLBF flushes at the end of each
// line.
//
// cc -o /tmp/count examples/count/count.c

#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <time.h>

int main(void)
{
	const struct timespec pause = {.tv_nsec = 300000000};

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	for (int n = 1; n <= 10; n++) {
		printf("%d\n", n);
		nanosleep(&pause, NULL);
	}
	return 0;
}
