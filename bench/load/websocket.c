/* RFC 6455 between bytes and frames, the client's side. */
#include "websocket.h"

#include <stdio.h>
#include <string.h>

size_t write_frame(uint8_t *to, enum opcode opcode, const uint8_t *payload, size_t length, uint32_t mask) {
    uint8_t *at = to;
    *at++ = 0x80 | (uint8_t)opcode;
    if (length < 126) {
        *at++ = 0x80 | (uint8_t)length;
    } else {
        int extended = length < 65536 ? 2 : 8;
        *at++ = 0x80 | (extended == 2 ? 126 : 127);
        for (int byte = extended - 1; byte >= 0; byte--) *at++ = (uint8_t)((uint64_t)length >> (8 * byte));
    }
    memcpy(at, &mask, 4);
    at += 4;
    uint64_t wide = (uint64_t)mask << 32 | mask;
    size_t done = 0;
    for (; done + 8 <= length; done += 8) {
        uint64_t word;
        memcpy(&word, payload + done, 8);
        word ^= wide;
        memcpy(at + done, &word, 8);
    }
    uint8_t key[4];
    memcpy(key, &mask, 4);
    for (; done < length; done++) at[done] = payload[done] ^ key[done & 3];
    return (size_t)(at - to) + length;
}

static void write_key(char key[25]) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t bits = random_bits();
    for (int at = 0; at < 21; at++, bits = bits >> 6 ? bits >> 6 : random_bits()) key[at] = letters[bits & 63];
    memcpy(key + 21, "A==", 4); /* 16 bytes are 22 letters, of which the last holds 2 bits */
}

size_t write_handshake(char *to, size_t capacity, const char *host, uint16_t port, const char *path, const char *subprotocol) {
    char key[25];
    write_key(key);
    int length = snprintf(to, capacity,
        "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nOrigin: http://%s:%u\r\n%s%s%s\r\n",
        path, host, port, key, host, port,
        subprotocol ? "Sec-WebSocket-Protocol: " : "", subprotocol ? subprotocol : "", subprotocol ? "\r\n" : "");
    return length > 0 && (size_t)length < capacity ? (size_t)length : 0;
}

int64_t read_handshake(const char *bytes, size_t length, int *status) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    *status = 0;
    const char *space = memchr(bytes, ' ', (size_t)(end - bytes));
    if (space) sscanf(space, "%3d", status); /* the line ends with \r: sscanf cannot run on */
    return *status == 101 ? end + 4 - bytes : -1;
}
