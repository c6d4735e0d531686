/* RFC 6455 between bytes and frames, the client's side. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

enum { MAX_HEADER_BYTES = 14 };

/* The head of one frame from the server. */
struct frame_header {
    enum opcode opcode;
    bool is_final;
    bool is_compressed_or_masked; /* nobody asked for it: an error */
    uint32_t header_length;
    uint64_t payload_length;
};

/* Read the head of a frame; false when there are too few bytes. */
static inline bool read_frame_header(const uint8_t *bytes, size_t length, struct frame_header *header) {
    if (length < 2) return false;
    uint32_t short_length = bytes[1] & 0x7f;
    uint32_t extended = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
    if (length < 2 + extended) return false;
    header->opcode = (enum opcode)(bytes[0] & 0x0f);
    header->is_final = bytes[0] & 0x80;
    header->is_compressed_or_masked = (bytes[0] & 0x70) || (bytes[1] & 0x80);
    header->header_length = 2 + extended;
    header->payload_length = short_length;
    if (extended) {
        header->payload_length = 0;
        for (uint32_t at = 0; at < extended; at++) header->payload_length = header->payload_length << 8 | bytes[2 + at];
    }
    return true;
}

/* Write one final, masked frame; return its length. There must be room for MAX_HEADER_BYTES more than the payload. */
size_t write_frame(uint8_t *to, enum opcode opcode, const uint8_t *payload, size_t length, uint32_t mask);

/* Write the opening request; return its length, or 0 when it does not fit. */
size_t write_handshake(char *to, size_t capacity, const char *host, uint16_t port, const char *path, const char *subprotocol);

/* Read the server's answer: the length of its head when it says 101, 0 when it is not all here yet, -1 for another. */
int64_t read_handshake(const char *bytes, size_t length, int *status);

#endif
