/* One blocking GET, for protocols whose sockets need a request before they open; and the random numbers. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "load.h"

bool http_get(const char *path, char *body, size_t capacity) {
    char request[PATH_CAPACITY + 256];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    struct timeval patience = {.tv_sec = 10};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, options.host, &address.sin_addr);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s:%u\r\nOrigin: http://%s:%u\r\nConnection: close\r\n\r\n",
                          path, options.host, options.port, options.host, options.port);
    size_t filled = 0;
    ssize_t count = 0;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(descriptor, request, (size_t)length, MSG_NOSIGNAL) == length)
        while (filled + 1 < capacity && (count = recv(descriptor, body + filled, capacity - 1 - filled, 0)) > 0) filled += (size_t)count;
    close(descriptor);
    body[filled] = 0;
    char *head_end = strstr(body, "\r\n\r\n");
    if (!head_end || strncmp(body, "HTTP/1.", 7) || !strstr(body, " 200 ")) return false;
    memmove(body, head_end + 4, strlen(head_end + 4) + 1);
    return true;
}

/* splitmix64, seeded by the kernel: operation ids must differ between runs on one database. */
uint64_t random_bits(void) {
    static uint64_t state;
    if (!state && getrandom(&state, sizeof state, 0) < 0) abort();
    uint64_t mixed = (state += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

void write_uuid(char uuid[37]) {
    static const char digits[] = "0123456789abcdef";
    uint64_t halves[2] = {random_bits(), random_bits()};
    halves[0] = (halves[0] & ~0xf000ull) | 0x4000ull;       /* version 4 */
    halves[1] = (halves[1] & ~(3ull << 62)) | 1ull << 63; /* RFC 9562's variant */
    char *at = uuid;
    for (int digit = 0; digit < 32; digit++) {
        if (digit == 8 || digit == 12 || digit == 16 || digit == 20) *at++ = '-';
        *at++ = digits[halves[digit / 16] >> (60 - 4 * (digit % 16)) & 15];
    }
    *at = 0;
}
