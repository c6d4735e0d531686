/* What the processes named by --watch have used, and this one, from /proc: read at the begin and end of measuring. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

double waited_seconds(void) {
    unsigned long long ran = 0, waited = 0;
    FILE *file = fopen("/proc/self/schedstat", "r");
    if (!file) return 0.0 / 0.0;
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2) waited = 0;
    fclose(file);
    return (double)waited / 1e9;
}

struct usage watched_usage(void) {
    struct usage usage = {0};
    for (uint32_t at = 0; at < options.watched_count; at++) {
        char path[64], line[1024];
        snprintf(path, sizeof path, "/proc/%d/stat", options.watched[at]);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fgets(line, sizeof line, file)) {
            const char *fields = strrchr(line, ')'); /* a program's name may hold spaces */
            unsigned long user = 0, system = 0;
            long pages = 0;
            if (fields && sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
                                 &user, &system, &pages) == 3) {
                usage.cpu_seconds += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
                usage.resident_bytes += (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
            }
        }
        fclose(file);
    }
    return usage;
}
