/* Unpacking gzip as it arrives (RFC 1951 and 1952).
 *
 * A block is decoded in one go; when its end has not arrived, all goes back to its beginning and waits. Packers end a
 * block every few ten kilobytes, so little is decoded twice. The checksum is not: what is measured came over TCP. */
#include "inflate.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CODE_BITS = 15, MAX_SYMBOLS = 288, END_OF_BLOCK = 256, HEAD_BYTES = 10 };
enum outcome { DONE, SHORT, BAD };

/* By the next bits of the input: symbol << 4 | length of its code; 0 for a code that there is not. */
struct codes {
    uint16_t table[1 << MAX_CODE_BITS];
    uint32_t bits;
};

static inline void fill(struct inflate *inflate) {
    if (inflate->at + 8 <= inflate->in_length) { /* what stands above `bit_count` afterwards comes again, the same */
        uint64_t word;
        memcpy(&word, inflate->in + inflate->at, 8);
        inflate->bits |= word << inflate->bit_count;
        inflate->at += (63 - inflate->bit_count) >> 3;
        inflate->bit_count |= 56;
        return;
    }
    while (inflate->bit_count <= 56 && inflate->at < inflate->in_length) {
        inflate->bits |= (uint64_t)inflate->in[inflate->at++] << inflate->bit_count;
        inflate->bit_count += 8;
    }
}

static inline enum outcome take_bits(struct inflate *inflate, uint32_t count, uint32_t *value) {
    if (inflate->bit_count < count) fill(inflate);
    if (inflate->bit_count < count) return SHORT;
    *value = (uint32_t)(inflate->bits & ((1u << count) - 1));
    inflate->bits >>= count;
    inflate->bit_count -= count;
    return DONE;
}

static inline enum outcome take_symbol(struct inflate *inflate, const struct codes *codes, uint32_t *symbol) {
    if (inflate->bit_count < MAX_CODE_BITS) fill(inflate);
    uint32_t entry = codes->table[inflate->bits & ((1u << codes->bits) - 1)], length = entry & 15;
    if (length > inflate->bit_count) return SHORT;
    if (!length) return inflate->bit_count < MAX_CODE_BITS ? SHORT : BAD;
    inflate->bits >>= length;
    inflate->bit_count -= length;
    *symbol = entry >> 4;
    return DONE;
}

static inline uint8_t *make_space(struct inflate *inflate, size_t more) {
    if (inflate->out_length + more > inflate->out_capacity) {
        inflate->out_capacity = (inflate->out_length + more) * 2;
        inflate->out = realloc(inflate->out, inflate->out_capacity);
        if (!inflate->out) abort();
    }
    return inflate->out + inflate->out_length;
}

/* Canonical codes, RFC 1951, 3.2.2; their first bit is the highest, and the input's is the lowest. */
static bool make_codes(struct codes *codes, const uint8_t *lengths, uint32_t count) {
    uint32_t of_length[MAX_CODE_BITS + 1] = {0}, next[MAX_CODE_BITS + 2] = {0};
    for (uint32_t symbol = 0; symbol < count; symbol++) of_length[lengths[symbol]]++;
    of_length[0] = 0;
    codes->bits = 1;
    for (uint32_t length = 1; length <= MAX_CODE_BITS; length++) {
        next[length + 1] = (next[length] + of_length[length]) << 1;
        if (of_length[length]) codes->bits = length;
        if (next[length] + of_length[length] > 1u << length) return false;
    }
    memset(codes->table, 0, sizeof codes->table[0] << codes->bits);
    for (uint32_t symbol = 0; symbol < count; symbol++) {
        uint32_t length = lengths[symbol], reversed = 0;
        if (!length) continue;
        uint32_t code = next[length]++;
        for (uint32_t bit = 0; bit < length; bit++) reversed |= (code >> bit & 1) << (length - 1 - bit);
        for (uint32_t at = reversed; at < 1u << codes->bits; at += 1u << length) codes->table[at] = (uint16_t)(symbol << 4 | length);
    }
    return true;
}

static enum outcome take_stored(struct inflate *inflate) {
    uint32_t length, inverse, byte;
    inflate->bits >>= inflate->bit_count & 7; /* to the next whole byte */
    inflate->bit_count &= ~7u;
    if (take_bits(inflate, 16, &length) || take_bits(inflate, 16, &inverse)) return SHORT;
    if (length != (inverse ^ 0xffff)) return BAD;
    uint8_t *to = make_space(inflate, length);
    for (uint32_t at = 0; at < length; at++) {
        if (take_bits(inflate, 8, &byte)) return SHORT;
        to[at] = (uint8_t)byte;
    }
    inflate->out_length += length;
    return DONE;
}

static enum outcome read_codes(struct inflate *inflate, struct codes *literals, struct codes *distances) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[MAX_SYMBOLS + 32] = {0}, of_lengths[19] = {0};
    uint32_t literal_count, distance_count, length_count, symbol, repeat, bits;
    if (take_bits(inflate, 5, &literal_count) || take_bits(inflate, 5, &distance_count) || take_bits(inflate, 4, &length_count)) return SHORT;
    literal_count += 257;
    distance_count += 1;
    length_count += 4;
    if (literal_count > 286) return BAD;
    for (uint32_t at = 0; at < length_count; at++) {
        if (take_bits(inflate, 3, &bits)) return SHORT;
        of_lengths[order[at]] = (uint8_t)bits;
    }
    if (!make_codes(literals, of_lengths, 19)) return BAD; /* for the lengths, until the literals' own are known */
    for (uint32_t at = 0; at < literal_count + distance_count;) {
        enum outcome outcome = take_symbol(inflate, literals, &symbol);
        if (outcome) return outcome;
        if (symbol < 16) {
            lengths[at++] = (uint8_t)symbol;
            continue;
        }
        if (take_bits(inflate, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &repeat)) return SHORT;
        repeat += symbol == 18 ? 11 : 3;
        if (at + repeat > literal_count + distance_count || (symbol == 16 && !at)) return BAD;
        uint8_t length = symbol == 16 ? lengths[at - 1] : 0;
        while (repeat--) lengths[at++] = length;
    }
    return make_codes(literals, lengths, literal_count) && make_codes(distances, lengths + literal_count, distance_count) ? DONE : BAD;
}

static void fixed_codes(struct codes *literals, struct codes *distances) {
    uint8_t lengths[MAX_SYMBOLS];
    for (uint32_t symbol = 0; symbol < MAX_SYMBOLS; symbol++) lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    make_codes(literals, lengths, MAX_SYMBOLS);
    memset(lengths, 5, 32);
    make_codes(distances, lengths, 32);
}

static enum outcome take_coded(struct inflate *inflate, const struct codes *literals, const struct codes *distances) {
    static const uint16_t length_from[29] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    uint32_t symbol, more;
    for (;;) {
        enum outcome outcome = take_symbol(inflate, literals, &symbol);
        if (outcome) return outcome;
        if (symbol == END_OF_BLOCK) return DONE;
        uint8_t *to = make_space(inflate, 258);
        if (symbol < 256) {
            *to = (uint8_t)symbol;
            inflate->out_length++;
            continue;
        }
        symbol -= 257;
        if (symbol >= 29) return BAD;
        if (take_bits(inflate, length_bits[symbol], &more)) return SHORT;
        uint32_t length = length_from[symbol] + more;
        if ((outcome = take_symbol(inflate, distances, &symbol))) return outcome;
        if (symbol >= 30) return BAD;
        uint32_t extra = symbol < 4 ? 0 : symbol / 2 - 1; /* RFC 1951, 3.2.5: 1, 2, 3, 4, 5, 7, 9, 13 … */
        if (take_bits(inflate, extra, &more)) return SHORT;
        uint32_t distance = 1 + (symbol < 4 ? symbol : (2 + (symbol & 1)) << extra) + more;
        if (distance > inflate->out_length) return BAD;
        if (distance >= length) memcpy(to, to - distance, length);
        else for (uint32_t at = 0; at < length; at++) to[at] = to[(int64_t)at - distance]; /* what it just wrote, again */
        inflate->out_length += length;
    }
}

static enum outcome take_block(struct inflate *inflate) {
    static struct codes literals, distances; /* 128 KB: too much for the stack */
    uint32_t is_last, kind;
    if (take_bits(inflate, 1, &is_last) || take_bits(inflate, 2, &kind)) return SHORT;
    enum outcome outcome = BAD;
    if (kind == 0) {
        outcome = take_stored(inflate);
    } else if (kind < 3) {
        if (kind == 1) fixed_codes(&literals, &distances);
        outcome = kind == 1 ? DONE : read_codes(inflate, &literals, &distances);
        if (!outcome) outcome = take_coded(inflate, &literals, &distances);
    }
    inflate->has_last_block = !outcome && is_last;
    return outcome;
}

static enum outcome take_trailer(struct inflate *inflate) {
    uint32_t checksum, low, high;
    inflate->bits >>= inflate->bit_count & 7;
    inflate->bit_count &= ~7u;
    if (take_bits(inflate, 16, &checksum) || take_bits(inflate, 16, &checksum) || take_bits(inflate, 16, &low) || take_bits(inflate, 16, &high)) return SHORT;
    inflate->is_done = true;
    return (high << 16 | low) == (uint32_t)inflate->out_length ? DONE : BAD;
}

bool inflate_more(struct inflate *inflate, const uint8_t *bytes, size_t length) {
    if (inflate->in_length + length > inflate->in_capacity) {
        inflate->in_capacity = (inflate->in_length + length) * 2;
        inflate->in = realloc(inflate->in, inflate->in_capacity);
        if (!inflate->in) abort();
    }
    memcpy(inflate->in + inflate->in_length, bytes, length);
    inflate->in_length += length;
    if (!inflate->has_head) {
        if (inflate->in_length < HEAD_BYTES) return true;
        if (memcmp(inflate->in, "\x1f\x8b\x08\x00", 4)) return false; /* no name, no comment, no extra field */
        inflate->at = HEAD_BYTES;
        inflate->has_head = true;
    }
    while (!inflate->is_done) {
        struct inflate before = *inflate;
        enum outcome outcome = inflate->has_last_block ? take_trailer(inflate) : take_block(inflate);
        if (outcome == BAD) return false;
        if (outcome == DONE) continue;
        before.out = inflate->out; /* it may have moved */
        before.out_capacity = inflate->out_capacity;
        *inflate = before;
        return true;
    }
    return inflate->at == inflate->in_length && inflate->bit_count < 8;
}

void inflate_discard(struct inflate *inflate) {
    free(inflate->in);
    free(inflate->out);
    *inflate = (struct inflate){0};
}
