/* Percentiles of a log-linear histogram. */
#include "histogram.h"

#include <math.h>

static double middle_of(uint32_t bucket) {
    if (bucket < 2 * HISTOGRAM_STEPS) return bucket;
    uint32_t shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t lowest = (uint64_t)(HISTOGRAM_STEPS + (bucket & (HISTOGRAM_STEPS - 1))) << shift;
    return (double)lowest + (double)(1ull << shift) / 2;
}

double histogram_ms(const struct histogram *histogram, double share) {
    if (!histogram->count) return NAN;
    uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= wanted && seen) {
            double value = middle_of(bucket);
            return (value < (double)histogram->max ? value : (double)histogram->max) / 1e6;
        }
    }
    return (double)histogram->max / 1e6;
}
