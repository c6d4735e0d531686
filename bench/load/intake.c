/* Mode `intake`: a closed loop. Each socket keeps `window` edits in flight: how many can the server take in? */
#include <stdio.h>

#include "clock.h"
#include "load.h"

static void fill_windows(void) {
    for (uint32_t editor = 0; editor < options.editors; editor++)
        while (edits_in_flight(editor) < options.window && send_edit(editor)) continue;
}

int intake_mode(void) {
    if (!connections_open()) return 2;
    fprintf(stderr, "open %u\n", options.sockets);
    connections_quieten(3);
    tally_begin(clock_now(), 0);
    struct usage before = watched_usage();
    int64_t begin = clock_now(), cpu_before = clock_cpu(), end = begin + (int64_t)(options.seconds * 1e9);
    fprintf(stderr, "begin\n");
    while (clock_now() < end && connections_ready()) {
        fill_windows();
        loop_turn(end);
    }
    int64_t now = clock_now();
    fprintf(stderr, "end\n");
    double seconds = (double)(now - begin) / 1e9, share = (double)(clock_cpu() - cpu_before) / (double)(now - begin);
    struct usage after = watched_usage();
    uint64_t acknowledged = counts.acknowledged; /* within the time */
    int64_t deadline = now + (int64_t)(options.settle_seconds * 1e9);
    while (clock_now() < deadline && counts.acknowledged + counts.refused < counts.sent) loop_turn(deadline);

    report_begin();
    report_text("protocol", options.protocol->name);
    report_count("sockets", options.sockets);
    report_count("sheets", options.sheets);
    report_count("window", options.window);
    report_number("seconds", seconds, 3);
    report_bool("ok", counts.acknowledged == counts.sent && !counts.closed && !counts.failed && !counts.strange);
    report_count("sent", counts.sent);
    report_count("acknowledged", counts.acknowledged);
    report_number("acknowledged_per_second", (double)acknowledged / seconds, 1);
    report_number("acknowledged_p50_ms", histogram_ms(&counts.acknowledgement, 0.5), 3);
    report_number("acknowledged_p99_ms", histogram_ms(&counts.acknowledgement, 0.99), 3);
    report_number("acknowledged_max_ms", histogram_ms(&counts.acknowledgement, 1), 3);
    report_count("refused", counts.refused);
    report_closes();
    report_count("failed", counts.failed);
    report_count("strange", counts.strange);
    report_count("delivered", counts.delivered);
    report_count("bytes_in", counts.bytes_in);
    report_count("bytes_out", counts.bytes_out);
    report_number("load_share", share, 4);
    report_number("core", options.core < 0 ? 0.0 / 0.0 : options.core, 0);
    report_usage(before, after);
    report_end();
    connections_close();
    return 0;
}
