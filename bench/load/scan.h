/* Reading JSON where it lies: a cursor that never runs past the end, and no tree. */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `at` may be moved on by what succeeds; after a failure the message is given up. */
struct scan {
    const uint8_t *at, *end;
};

struct span {
    const uint8_t *start;
    size_t length;
};

static inline void scan_space(struct scan *scan) {
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) scan->at++;
}

static inline bool scan_byte(struct scan *scan, uint8_t byte) {
    if (scan->at < scan->end && *scan->at == byte) {
        scan->at++;
        return true;
    }
    scan_space(scan);
    if (scan->at >= scan->end || *scan->at != byte) return false;
    scan->at++;
    return true;
}

/* A number from 0 that fits into 32 bits. */
static inline bool scan_number(struct scan *scan, uint32_t *number) {
    if (scan->at < scan->end && *scan->at <= ' ') scan_space(scan);
    const uint8_t *start = scan->at;
    uint64_t read = 0;
    while (scan->at < scan->end && (uint8_t)(*scan->at - '0') < 10 && scan->at - start < 10) read = read * 10 + (*scan->at++ - '0');
    *number = (uint32_t)read;
    return scan->at > start && read <= UINT32_MAX;
}

/* A string; the span is what stands between the quotes, escapes as they are. */
static inline bool scan_string(struct scan *scan, struct span *span) {
    if (!scan_byte(scan, '"')) return false;
    span->start = scan->at;
    while (scan->at < scan->end && *scan->at != '"') scan->at += *scan->at == '\\' ? 2 : 1;
    if (scan->at >= scan->end) return false;
    span->length = (size_t)(scan->at - span->start);
    scan->at++;
    return true;
}

/* Any value, of which nothing is wanted. */
bool scan_any(struct scan *scan);

static inline bool span_is(struct span span, const char *text) {
    return span.length == strlen(text) && !memcmp(span.start, text, span.length);
}

/* The number that the whole of a span is; 0 for anything else. */
static inline uint32_t span_number(struct span span) {
    uint64_t number = 0;
    if (!span.length || span.length > 10) return 0;
    for (size_t at = 0; at < span.length; at++) {
        uint8_t digit = (uint8_t)(span.start[at] - '0');
        if (digit > 9) return 0;
        number = number * 10 + digit;
    }
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* Walk an object: scan_member() names the next member and leaves the cursor at its value; false at the end of the object,
 * and at what is none. */
bool scan_member(struct scan *scan, bool *is_first, struct span *name);

#endif
