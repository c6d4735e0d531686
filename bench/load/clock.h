/* Time in nanoseconds: of the wall since some moment, and of the processor. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline int64_t clock_now(void) { return read_clock(CLOCK_MONOTONIC); }
static inline int64_t clock_cpu(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

#endif
