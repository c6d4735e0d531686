/* Unpacking gzip as it arrives (RFC 1951 and 1952): what is whole comes out, the rest waits for more. */
#ifndef INFLATE_H
#define INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inflate {
    uint8_t *in;
    size_t in_length, in_capacity;
    uint8_t *out; /* all that came out so far */
    size_t out_length, out_capacity;
    size_t at;     /* the next byte of `in` */
    uint64_t bits; /* read from `in` and not yet used, the next one lowest */
    uint32_t bit_count;
    bool has_head, has_last_block, is_done;
};

/* Take more packed bytes; false when they are no gzip. `is_done` says that the end was reached. */
bool inflate_more(struct inflate *inflate, const uint8_t *bytes, size_t length);
void inflate_discard(struct inflate *inflate);

#endif
