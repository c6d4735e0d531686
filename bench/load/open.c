/* Mode `open`: one socket after the other opens the sheet; when it was answered, and when all its cells were there. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "load.h"

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* The median, and all in the order of the openings. */
static void report_all(const char *name, const char *list_name, const double *values, uint32_t count, int digits) {
    double *sorted = malloc(count * sizeof *sorted);
    for (uint32_t at = 0; at < count; at++) sorted[at] = values[at];
    qsort(sorted, count, sizeof *sorted, compare);
    report_number(name, count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2, digits);
    report_list(list_name, values, count, digits);
    free(sorted);
}

static double since(int64_t from, int64_t to) { return to ? (double)(to - from) / 1e6 : 0.0 / 0.0; }

int open_mode(void) {
    enum { CONNECTED, OPENED, FIRST, LAST, BYTES, MEASURES };
    double *values[MEASURES];
    for (int measure = 0; measure < MEASURES; measure++) values[measure] = malloc(options.count * sizeof *values[measure]);
    uint64_t cells = 0, frames = 0;
    struct usage before = watched_usage();
    for (uint32_t at = 0; at < options.count; at++) {
        is_finishing = false;
        if (!connections_open()) return 2;
        const struct opening *opening = opening_of(0);
        values[CONNECTED][at] = since(opening->began, opening->asked);
        values[OPENED][at] = since(opening->asked, opening->opened);
        values[FIRST][at] = since(opening->asked, opening->first);
        values[LAST][at] = since(opening->asked, opening->last ? opening->last : opening->ready);
        values[BYTES][at] = (double)opening->bytes;
        cells = opening->cells;
        frames = opening->frames;
        connections_close();
    }
    report_begin();
    report_text("protocol", options.protocol->name);
    report_text("revision", options.revision);
    report_count("count", options.count);
    report_bool("ok", !counts.failed && !counts.closed);
    report_count("cells", cells);
    report_count("frames", frames);
    report_all("bytes", "all_bytes", values[BYTES], options.count, 0);
    report_all("connected_ms", "all_connected_ms", values[CONNECTED], options.count, 3);
    report_all("opened_ms", "all_opened_ms", values[OPENED], options.count, 3);
    report_all("first_cells_ms", "all_first_cells_ms", values[FIRST], options.count, 3);
    report_all("last_cell_ms", "all_last_cell_ms", values[LAST], options.count, 3);
    report_usage(before, watched_usage());
    report_end();
    for (int measure = 0; measure < MEASURES; measure++) free(values[measure]);
    return 0;
}
