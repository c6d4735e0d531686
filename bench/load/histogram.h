/* A log-linear histogram of nanoseconds: 128 steps to each power of two, so what it tells is within 0.8 %. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_STEP_BITS) * HISTOGRAM_STEPS,
};

struct histogram {
    uint64_t count;
    int64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline uint32_t histogram_bucket(uint64_t value) {
    if (value < HISTOGRAM_STEPS) return (uint32_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (shift << HISTOGRAM_STEP_BITS) + (uint32_t)(value >> shift);
}

static inline void histogram_add(struct histogram *histogram, int64_t value) {
    if (value < 0) value = 0;
    histogram->buckets[histogram_bucket((uint64_t)value)]++;
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
}

/* The value below or at which `share` of all lie, in milliseconds; NaN of an empty one. */
double histogram_ms(const struct histogram *histogram, double share);

#endif
