/* The least that a bridge can do, as a measure of what there is to win: two
 * threads a connection, blocking reads, one write for what one read brought.
 * It checks nothing, limits nothing, and has no options. Linux only.
 *
 * With --share there is one command for all connections: one thread frames what it
 * prints once and writes that to each client in turn, waiting for one that is blocked.
 *
 *	cc -O2 -pthread -o floor floor.c -lcrypto
 *	./floor PORT [--share] [--binary] COMMAND [ARG...]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

enum { CHUNK = 64 << 10 };
extern char **environ;
static char **command;
static int binary, share;

struct session { int sock, in, out; pid_t pid; };

/* The shared command and its clients. */
static struct session shared;
static int *clients, nclients, running;
static pthread_mutex_t joining = PTHREAD_MUTEX_INITIALIZER; /* guards these */
static pthread_mutex_t feeding = PTHREAD_MUTEX_INITIALIZER; /* guards shared.in, and keeps messages whole in it */

static int write_all(int fd, const char *p, size_t n) {
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k <= 0) return -1;
		p += k; n -= k;
	}
	return 0;
}

static size_t header(unsigned char *h, int op, size_t n) {
	h[0] = 0x80 | op;
	if (n < 126) { h[1] = n; return 2; }
	if (n < 1 << 16) { h[1] = 126; *(uint16_t *)(h + 2) = htobe16(n); return 4; }
	h[1] = 127; *(uint64_t *)(h + 2) = htobe64(n); return 10;
}

/* feed writes a client's lines to its command. */
static int feed(struct session *s, const char *p, size_t n) {
	if (!share) return write_all(s->in, p, n);
	pthread_mutex_lock(&feeding);
	write_all(shared.in, p, n);
	pthread_mutex_unlock(&feeding);
	return 0;
}

/* pump_in unmasks client frames and writes each payload and a newline. */
static void pump_in(struct session *s) {
	unsigned char *buf = malloc(2 * CHUNK + 1);
	char *out = malloc(2 * CHUNK + CHUNK);
	size_t have = 0;
	for (;;) {
		ssize_t k = read(s->sock, buf + have, 2 * CHUNK - have);
		if (k <= 0) break;
		have += k;
		size_t at = 0, o = 0;
		for (;;) {
			if (have - at < 2) break;
			unsigned char *f = buf + at;
			size_t n = f[1] & 127, h = 2;
			if (n == 126) { h = 4; if (have - at < h) break; n = be16toh(*(uint16_t *)(f + 2)); }
			else if (n == 127) { h = 10; if (have - at < h) break; n = be64toh(*(uint64_t *)(f + 2)); }
			if (have - at < h + 4 + n) break;
			if ((f[0] & 15) == 8) { have = at; goto done; }
			uint32_t key; memcpy(&key, f + h, 4);
			unsigned char *p = f + h + 4; size_t i = 0;
			uint64_t wide = (uint64_t)key << 32 | key;
			for (; i + 8 <= n; i += 8) { uint64_t x; memcpy(&x, p + i, 8); x ^= wide; memcpy(out + o + i, &x, 8); }
			for (; i < n; i++) out[o + i] = p[i] ^ ((unsigned char *)&key)[i & 3];
			o += n;
			if (!binary) out[o++] = '\n';
			at += h + 4 + n;
		}
		if (o && feed(s, out, o)) break;
		memmove(buf, buf + at, have - at);
		have -= at;
	}
done:
	free(buf); free(out);
}

static void *serve_in(void *arg) {
	struct session *s = arg;
	pump_in(s);
	close(s->in);
	kill(s->pid, SIGTERM);
	return NULL;
}

/* deliver writes frames to the session's client, or to all. A client that is
 * gone is not missed: its own thread finds out. */
static int deliver(struct session *s, const char *p, size_t n) {
	if (!share) return write_all(s->sock, p, n);
	pthread_mutex_lock(&joining);
	for (int i = 0; i < nclients; i++) write_all(clients[i], p, n);
	pthread_mutex_unlock(&joining);
	return 0;
}

/* pump_out frames each line, or in binary mode each read. */
static void pump_out(struct session *s) {
	char *buf = malloc(CHUNK), *out = malloc(6 * CHUNK);
	size_t have = 0;
	for (;;) {
		ssize_t k = read(s->out, buf + have, CHUNK - have);
		if (k <= 0) break;
		have += k;
		size_t at = 0, o = 0;
		if (binary) {
			o += header((unsigned char *)out, 2, have);
			memcpy(out + o, buf, have); o += have; at = have;
		} else for (char *nl; (nl = memchr(buf + at, '\n', have - at)); ) {
			size_t n = nl - (buf + at);
			o += header((unsigned char *)out + o, 1, n);
			memcpy(out + o, buf + at, n); o += n;
			at += n + 1;
		}
		if (o && deliver(s, out, o)) break;
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	free(buf); free(out);
}

/* spawn starts the command. */
static int spawn(struct session *s) {
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) return -1;
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	posix_spawnp(&s->pid, command[0], &fa, NULL, command, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]); close(out[1]);
	s->in = in[1]; s->out = out[0];
	return 0;
}

static const char bye[4] = "\x88\x02\x03\xe8";

/* broadcast is the thread of the shared command. When the command has ended,
 * so has every client, and the next one starts it again. */
static void *broadcast(void *arg) {
	pump_out(&shared);
	pthread_mutex_lock(&joining);
	for (int i = 0; i < nclients; i++) {
		write_all(clients[i], bye, sizeof bye);
		shutdown(clients[i], SHUT_WR);
	}
	nclients = running = 0;
	waitpid(shared.pid, NULL, 0);
	pthread_mutex_lock(&feeding);
	close(shared.in); close(shared.out);
	shared.in = -1;
	pthread_mutex_unlock(&feeding);
	pthread_mutex_unlock(&joining);
	return arg;
}

/* join makes sock a client of the shared command, which the first one starts.
 * The lock is what puts the response before the first frame. */
static void join(int sock, const char *resp, size_t n) {
	pthread_mutex_lock(&joining);
	if (!running && !spawn(&shared)) {
		pthread_t t;
		pthread_create(&t, NULL, broadcast, NULL);
		pthread_detach(t);
		running = 1;
	}
	write_all(sock, resp, n);
	clients = realloc(clients, (nclients + 1) * sizeof *clients);
	clients[nclients++] = sock;
	pthread_mutex_unlock(&joining);
}

static void leave(int sock) {
	pthread_mutex_lock(&joining);
	for (int i = 0; i < nclients; i++)
		if (clients[i] == sock) {
			clients[i] = clients[--nclients];
			write_all(sock, bye, sizeof bye);
			break;
		}
	close(sock);
	pthread_mutex_unlock(&joining);
}

static void *serve(void *arg) {
	struct session s = { .sock = (int)(intptr_t)arg };
	char req[4096]; size_t n = 0;
	while (n < sizeof req - 1) {
		ssize_t k = read(s.sock, req + n, sizeof req - 1 - n);
		if (k <= 0) { close(s.sock); return NULL; }
		req[n += k] = 0;
		if (strstr(req, "\r\n\r\n")) break;
	}
	char *key = strcasestr(req, "Sec-WebSocket-Key: ");
	if (!key) { close(s.sock); return NULL; }
	char cat[64]; unsigned char sum[20], acc[32];
	snprintf(cat, sizeof cat, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
	SHA1((unsigned char *)cat, strlen(cat), sum);
	EVP_EncodeBlock(acc, sum, 20);
	char resp[256];
	int m = snprintf(resp, sizeof resp, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acc);
	if (share) {
		join(s.sock, resp, m);
		pump_in(&s);
		leave(s.sock);
		return NULL;
	}
	if (spawn(&s)) { close(s.sock); return NULL; }
	write_all(s.sock, resp, m);
	pthread_t t;
	pthread_create(&t, NULL, serve_in, &s);
	pump_out(&s);
	write_all(s.sock, bye, sizeof bye);
	shutdown(s.sock, SHUT_WR);
	pthread_join(t, NULL);
	waitpid(s.pid, NULL, 0);
	close(s.out); close(s.sock);
	return NULL;
}

int main(int argc, char **argv) {
	if (argc < 3) return fprintf(stderr, "usage: floor PORT [--share] [--binary] COMMAND [ARG...]\n"), 2;
	command = argv + 2;
	if (!strcmp(*command, "--share")) share = 1, command++;
	if (*command && !strcmp(*command, "--binary")) binary = 1, command++;
	if (!*command) return fprintf(stderr, "floor: no command\n"), 2;
	signal(SIGPIPE, SIG_IGN);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(l, (void *)&a, sizeof a) || listen(l, 1024)) return perror("floor"), 1;
	pthread_attr_t at;
	pthread_attr_init(&at);
	pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&at, 64 << 10);
	for (;;) {
		int c = accept4(l, NULL, NULL, SOCK_CLOEXEC);
		if (c < 0) continue;
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		pthread_t t;
		if (pthread_create(&t, &at, serve, (void *)(intptr_t)c)) close(c);
	}
}
