/* lib0's binary encoding, as far as Yjs needs it here: unsigned numbers in groups of seven bits, the lowest first, and
 * texts after their length. https://github.com/dmonad/lib0/blob/main/encoding.js */
#ifndef VARINT_H
#define VARINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "scan.h"

static inline uint8_t *write_varint(uint8_t *at, uint64_t number) {
    for (; number > 0x7f; number >>= 7) *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

static inline uint8_t *write_varbytes(uint8_t *at, const void *bytes, size_t length) {
    at = write_varint(at, length);
    memcpy(at, bytes, length);
    return at + length;
}

static inline bool read_varint(struct scan *scan, uint64_t *number) {
    *number = 0;
    for (int shift = 0; scan->at < scan->end && shift < 63; shift += 7) {
        uint8_t byte = *scan->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static inline bool read_varbytes(struct scan *scan, struct span *span) {
    uint64_t length;
    if (!read_varint(scan, &length) || length > (uint64_t)(scan->end - scan->at)) return false;
    *span = (struct span){scan->at, (size_t)length};
    scan->at += length;
    return true;
}

#endif
