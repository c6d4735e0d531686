/* The least that a server can do, to find the load generator's own ceiling: it speaks SheetSync's wire, keeps nothing,
 * and every INTERVAL ms writes all edits of that time as one cells.changed to all sockets.
 *
 *   mirror PORT [INTERVAL ms, 5]      one sheet, up to 1,024 sockets, ends when its stdin does */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../clock.h"

enum { MAX_SOCKETS = 1024, IN_BYTES = 1 << 20, OUT_BYTES = 16 << 20, HEAD_BYTES = 10 };

struct peer {
    int descriptor;
    int is_open;
    size_t length;
    uint8_t *in;
    char *acks; /* the next operations.committed */
    size_t acks_length;
};

static struct peer peers[MAX_SOCKETS];
static int peer_count;
static uint32_t head, told;
static char *cells; /* the cells of the next cells.changed */
static size_t cells_length;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* The payload stands HEAD_BYTES into the buffer, so that the head of its frame fits before it. */
static void send_text(struct peer *peer, char *buffer, size_t length) {
    uint8_t *start;
    if (length < 126) {
        start = (uint8_t *)buffer + HEAD_BYTES - 2;
        start[1] = (uint8_t)length;
    } else if (length < 65536) {
        start = (uint8_t *)buffer + HEAD_BYTES - 4;
        start[1] = 126;
        start[2] = (uint8_t)(length >> 8);
        start[3] = (uint8_t)length;
    } else {
        start = (uint8_t *)buffer;
        start[1] = 127;
        for (int byte = 0; byte < 8; byte++) start[2 + byte] = (uint8_t)((uint64_t)length >> (56 - 8 * byte));
    }
    start[0] = 0x81;
    size_t left = (size_t)((uint8_t *)buffer + HEAD_BYTES - start) + length;
    while (left) {
        ssize_t written = send(peer->descriptor, start, left, MSG_NOSIGNAL);
        if (written < 0) return; /* it has gone; the next recv says so */
        start += written;
        left -= (size_t)written;
    }
}

static void send_formatted(struct peer *peer, const char *format, uint32_t first, uint32_t second) {
    char buffer[HEAD_BYTES + 256];
    int length = snprintf(buffer + HEAD_BYTES, 256, format, first, second);
    send_text(peer, buffer, (size_t)length);
}

static void take_message(struct peer *peer, char *text, size_t length) {
    char *end = text + length, *id, *cell;
    if (memmem(text, length, "\"sheet.open\"", 12)) {
        send_formatted(peer, "{\"type\":\"sheet.opened\",\"protocol\":1,\"head\":%u}", told, 0);
        send_formatted(peer, "{\"type\":\"cells.changed\",\"after\":0,\"through\":%u,\"changes\":[]}", told, 0);
        send_formatted(peer, "{\"type\":\"presence.changed\",\"clients\":[],\"gone\":[],\"full\":true}", 0, 0);
        return;
    }
    if (!(id = memmem(text, length, "\"operation_id\":\"", 16)) || !(cell = memmem(text, length, "\"cells\":[", 9))) return;
    cell += 9;
    size_t cell_length = (size_t)(end - cell) - 3; /* ends with ]}} */
    if (cells_length + cell_length + 64 > OUT_BYTES || peer->acks_length + 64 > IN_BYTES) fail("full");
    if (cells_length) cells[HEAD_BYTES + 256 + cells_length++] = ',';
    memcpy(cells + HEAD_BYTES + 256 + cells_length, cell, cell_length);
    cells_length += cell_length;
    head++;
    char *at = peer->acks + HEAD_BYTES + peer->acks_length;
    const char *before = peer->acks_length ? "," : "{\"type\":\"operations.committed\",\"operations\":[";
    peer->acks_length += (size_t)sprintf(at, "%s[\"%.36s\",%u]", before, id + 16, head);
}

static void tell_all(void) {
    if (!cells_length) return;
    char start[256];
    int start_length = snprintf(start, sizeof start,
        "{\"type\":\"cells.changed\",\"after\":%u,\"through\":%u,\"changes\":[[\"mirror\",[", told, head);
    char *text = cells + 256 - start_length; /* the room before the cells is for what comes before them */
    memcpy(text + HEAD_BYTES, start, (size_t)start_length);
    memcpy(cells + HEAD_BYTES + 256 + cells_length, "]]]}", 4);
    told = head;
    for (int at = 0; at < peer_count; at++) {
        struct peer *peer = &peers[at];
        if (peer->is_open) send_text(peer, text, (size_t)start_length + cells_length + 4);
        if (!peer->acks_length) continue;
        memcpy(peer->acks + HEAD_BYTES + peer->acks_length, "]}", 2);
        send_text(peer, peer->acks, peer->acks_length + 2);
        peer->acks_length = 0;
    }
    cells_length = 0;
}

static void take_frames(struct peer *peer) {
    size_t done = 0;
    for (;;) {
        uint8_t *frame = peer->in + done;
        size_t left = peer->length - done;
        if (left < 8) break;
        size_t length = frame[1] & 0x7f, start = 6;
        if (length == 126) {
            length = (size_t)frame[2] << 8 | frame[3];
            start = 8;
        }
        if (left < start + length) break;
        uint8_t *mask = frame + start - 4;
        for (size_t at = 0; at < length; at++) frame[start + at] ^= mask[at & 3];
        if ((frame[0] & 15) == 8) {
            send(peer->descriptor, "\x88\x02\x03\xe8", 4, MSG_NOSIGNAL);
            peer->is_open = 0;
        } else if ((frame[0] & 15) == 1) {
            if (memmem(frame + start, length, "\"sheet.open\"", 12)) tell_all(), peer->is_open = 1;
            take_message(peer, (char *)frame + start, length);
        }
        done += start + length;
    }
    memmove(peer->in, peer->in + done, peer->length - done);
    peer->length -= done;
}

static int take_bytes(struct peer *peer) {
    ssize_t count = recv(peer->descriptor, peer->in + peer->length, IN_BYTES - peer->length, 0);
    if (count <= 0) return 0;
    peer->length += (size_t)count;
    if (peer->in[0] != 'G') {
        take_frames(peer);
    } else if (memmem(peer->in, peer->length, "\r\n\r\n", 4)) {
        static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        send(peer->descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL);
        peer->length = 0; /* the client waits for the answer before it says more */
    }
    return 1;
}

static void accept_peer(int listener) {
    int one = 1;
    struct peer *peer = peers;
    while (peer < peers + peer_count && peer->descriptor >= 0) peer++;
    if (peer == peers + MAX_SOCKETS) fail("too many sockets");
    if (peer == peers + peer_count) peer_count++;
    peer->descriptor = accept(listener, NULL, NULL);
    peer->length = 0;
    setsockopt(peer->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!peer->in && (!(peer->in = malloc(IN_BYTES)) || !(peer->acks = malloc(IN_BYTES + HEAD_BYTES)))) fail("malloc");
}

int main(int count, char **words) {
    if (count < 2) return 2;
    int64_t interval = (count > 2 ? atoi(words[2]) : 5) * 1000000ll, next = 0;
    uint16_t port = (uint16_t)atoi(words[1]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 256) < 0) fail("listen");
    if (!(cells = malloc(OUT_BYTES + HEAD_BYTES + 512))) fail("malloc");
    static struct pollfd waits[MAX_SOCKETS + 2];
    for (;;) {
        waits[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        waits[1] = (struct pollfd){.fd = listener, .events = POLLIN};
        int known = peer_count;
        for (int at = 0; at < known; at++) waits[at + 2] = (struct pollfd){.fd = peers[at].descriptor, .events = POLLIN};
        poll(waits, (nfds_t)(known + 2), cells_length ? 1 : -1);
        if (waits[0].revents) return 0;
        for (int at = 0; at < known; at++) {
            if (!waits[at + 2].revents || take_bytes(&peers[at])) continue;
            close(peers[at].descriptor);
            peers[at].descriptor = -1; /* poll() passes over it */
            peers[at].is_open = 0;
            peers[at].acks_length = 0;
        }
        if (waits[1].revents) accept_peer(listener);
        if (clock_now() >= next) {
            tell_all();
            next = clock_now() + interval;
        }
    }
}
