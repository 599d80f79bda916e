/* Counts WebSocket frames from many connections at once, as fast as a client can: it looks at headers alone.
 *
 * usage: frames HOST PORT PATH CLIENTS FRAMES SECONDS [MESSAGE]
 *
 * Opens CLIENTS connections to ws://HOST:PORT/PATH, sends MESSAGE on each where there is one, and prints "ready". Then it
 * reads until FRAMES have come over all connections together, or for SECONDS, and prints
 *   frames bytes seconds least most
 * where seconds go from the first frame to the last, and least and most are the frames of one connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (1 << 20)

struct client {
    int fd;
    uint64_t frames;
    uint64_t skip;         /* bytes of a payload still to come */
    unsigned char head[14]; /* a header that came in pieces */
    int have;
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Bytes of the header that begins at `head`, 0 where more of it must come; its payload in `size`. */
static int header(const unsigned char *head, int have, uint64_t *size) {
    if (have < 2) return 0;
    int length = head[1] & 0x7f, need = length == 127 ? 10 : length == 126 ? 4 : 2;
    if (have < need) return 0;
    if (length < 126) *size = length;
    else if (length == 126) *size = (uint64_t)head[2] << 8 | head[3];
    else {
        *size = 0;
        for (int i = 2; i < 10; i++) *size = *size << 8 | head[i];
    }
    return need;
}

static uint64_t count(struct client *c, const unsigned char *data, size_t length) {
    uint64_t before = c->frames;
    while (length) {
        if (c->skip) {
            size_t part = c->skip < length ? c->skip : length;
            c->skip -= part;
            data += part;
            length -= part;
            continue;
        }
        uint64_t size;
        if (!c->have) {
            int need = header(data, length > 14 ? 14 : (int)length, &size);
            if (need) {
                if ((data[0] & 0x0f) <= 2) c->frames++;
                data += need;
                length -= need;
                c->skip = size;
                continue;
            }
        }
        c->head[c->have++] = *data++;
        length--;
        int need = header(c->head, c->have, &size);
        if (need) {
            if ((c->head[0] & 0x0f) <= 2) c->frames++;
            c->have = 0;
            c->skip = size;
        }
    }
    return c->frames - before;
}

static void send_all(int fd, const void *data, size_t length) {
    const char *at = data;
    while (length) {
        ssize_t sent = send(fd, at, length, 0);
        if (sent < 0) die("send");
        at += sent;
        length -= sent;
    }
}

static int dial(const char *host, int port, const char *path, const char *message) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1) die("address");
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char text[4096];
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          path, host, port);
    send_all(fd, text, length);
    /* Byte by byte: frames may follow on the answer at once. */
    int have = 0;
    while (have < 4 || memcmp(text + have - 4, "\r\n\r\n", 4)) {
        if (have == sizeof text || recv(fd, text + have, 1, 0) != 1) die("handshake");
        have++;
    }
    if (strncmp(text, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "%.*s\n", have, text);
        exit(1);
    }
    if (message && *message) {
        size_t size = strlen(message);
        if (size > 65535) exit(2);
        unsigned char head[8] = {0x81, 0xfe, size >> 8, size & 0xff, 0, 0, 0, 0}; /* masked with zeros */
        if (size < 126) {
            head[1] = 0x80 | size;
            memset(head + 2, 0, 4);
        }
        send_all(fd, head, size < 126 ? 6 : 8);
        send_all(fd, message, size);
    }
    return fd;
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    int clients = atoi(argv[4]);
    uint64_t wanted = strtoull(argv[5], NULL, 10), frames = 0, bytes = 0;
    double seconds = atof(argv[6]);
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    int poller = epoll_create1(0);
    struct client *all = calloc(clients, sizeof *all);
    for (int i = 0; i < clients; i++) {
        all[i].fd = dial(argv[1], atoi(argv[2]), argv[3], argc > 7 ? argv[7] : NULL);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &event)) die("epoll");
    }
    puts("ready");
    fflush(stdout);
    static unsigned char buffer[BUFFER];
    struct epoll_event ready[256];
    double end = now() + seconds, first = 0, last = 0;
    int open = clients;
    while (frames < wanted && open && now() < end) {
        int found = epoll_wait(poller, ready, 256, 100);
        for (int i = 0; i < found; i++) {
            struct client *c = &all[ready[i].data.u32];
            ssize_t got = recv(c->fd, buffer, BUFFER, MSG_DONTWAIT);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got <= 0) {
                epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
                open--;
                continue;
            }
            uint64_t more = count(c, buffer, got);
            bytes += got;
            frames += more;
            if (more) {
                last = now();
                if (!first) first = last;
            }
        }
    }
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < clients; i++) {
        if (all[i].frames < least) least = all[i].frames;
        if (all[i].frames > most) most = all[i].frames;
    }
    printf("%llu %llu %.6f %llu %llu\n", (unsigned long long)frames, (unsigned long long)bytes, last - first,
           (unsigned long long)least, (unsigned long long)most);
    return 0;
}
