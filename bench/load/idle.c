/* Mode `idle`: sockets that are opened and held, to weigh what they cost. */
#include <stdio.h>

#include "clock.h"
#include "load.h"

int idle_mode(void) {
    struct usage before = watched_usage();
    int64_t began = clock_now();
    bool is_ok = connections_open();
    double connect_seconds = (double)(clock_now() - began) / 1e9;
    struct usage opened = watched_usage();
    fprintf(stderr, "open %u\n", connections_ready());
    uint64_t closed = counts.closed;
    int64_t end = clock_now() + (int64_t)(options.seconds * 1e9);
    while (clock_now() < end) loop_turn(end);
    struct usage after = watched_usage();
    report_begin();
    report_text("protocol", options.protocol->name);
    report_count("sockets", options.sockets);
    report_count("sheets", options.sheets);
    report_number("seconds", options.seconds, 3);
    report_bool("ok", is_ok && counts.closed == closed);
    report_count("open", connections_ready());
    report_closes();
    report_count("frames", counts.frames);
    report_count("bytes_in", counts.bytes_in);
    report_number("connect_seconds", connect_seconds, 3);
    if (options.watched_count) {
        report_number("connect_cpu_seconds", opened.cpu_seconds - before.cpu_seconds, 3);
        report_number("idle_cpu_seconds", after.cpu_seconds - opened.cpu_seconds, 3);
        report_count("resident_bytes_before", before.resident_bytes);
        report_count("resident_bytes", after.resident_bytes);
    }
    report_end();
    connections_close();
    return 0;
}
