/* Mode `run`: an open loop. Edit g is due at a fixed moment, whatever the server does; when the generator is late it
 * sends at once, and all that was waited for counts as latency (no coordinated omission). */
#include <stdio.h>

#include "clock.h"
#include "load.h"

enum {
    EDITS_PER_TURN = 4096, /* when behind: reading must go on */
    TURN_NS = 200000,      /* above 5,000 edits/s they go in steps of 0.2 ms: a timer for each would cost more than all else */
};

static bool is_complete(void) {
    return counts.delivered >= expected_deliveries() &&
           (!options.protocol->has_acknowledgements || counts.acknowledged + counts.refused >= counts.sent);
}

static void send_what_is_due(uint64_t *edit, uint64_t edits) {
    int64_t now = clock_now();
    for (int count = 0; *edit < edits && count < EDITS_PER_TURN; count++, (*edit)++) {
        int64_t due = due_time(*edit);
        if (due > now) return;
        if (now - due > counts.behind) counts.behind = now - due;
        send_edit((uint32_t)(*edit % options.editors));
    }
}

int run_mode(void) {
    int64_t began_opening = clock_now();
    if (!connections_open()) return 2;
    double connect_seconds = (double)(clock_now() - began_opening) / 1e9;
    fprintf(stderr, "open %u\n", options.sockets);
    connections_quieten(3);

    int close_count_before = (int)counts.closed;
    counts.frames = counts.bytes_in = counts.bytes_out = 0;
    struct usage usage_before = watched_usage();
    int64_t begin = clock_now() + 1000000, cpu_before = clock_cpu();
    double waited_before = waited_seconds();
    uint64_t edit = 0, edits = (uint64_t)(options.rate * options.seconds + 0.5);
    fprintf(stderr, "begin\n");
    tally_begin(begin, options.rate);
    while (edit < edits) {
        send_what_is_due(&edit, edits);
        int64_t next = due_time(edit), step = clock_now() + TURN_NS;
        loop_turn(options.rate * TURN_NS > 1e9 && next < step ? step : next);
    }
    int64_t last_due = due_time(edits);
    while (clock_now() < last_due) loop_turn(last_due);
    int64_t sent_time = clock_now();
    double share = (double)(clock_cpu() - cpu_before) / (double)(sent_time - begin);
    int64_t deadline = sent_time + (int64_t)(options.settle_seconds * 1e9);
    while (clock_now() < deadline && !is_complete()) loop_turn(deadline);
    int64_t end = clock_now();
    double cpu_seconds = (double)(clock_cpu() - cpu_before) / 1e9, waited = waited_seconds() - waited_before;
    fprintf(stderr, "end\n");
    struct usage usage_after = watched_usage();
    bool is_ok = counts.sent == edits && counts.delivered == expected_deliveries() && !counts.refused && !counts.failed &&
                 !counts.strange && (int)counts.closed == close_count_before &&
                 (!options.protocol->has_acknowledgements || counts.acknowledged == counts.sent);

    report_begin();
    report_text("protocol", options.protocol->name);
    report_count("sockets", options.sockets);
    report_count("editors", options.editors);
    report_count("sheets", options.sheets);
    report_number("rate", options.rate, 3);
    report_number("seconds", options.seconds, 3);
    report_count("rows", options.rows);
    report_bool("ok", is_ok);
    report_count("sent", counts.sent);
    report_count("unsent", counts.unsent);
    if (options.protocol->has_acknowledgements) report_count("acknowledged", counts.acknowledged);
    else report_number("acknowledged", 0.0 / 0.0, 0);
    report_count("refused", counts.refused);
    report_closes();
    report_count("expected", expected_deliveries());
    report_count("delivered", counts.delivered);
    report_count("missing", expected_deliveries() - counts.delivered);
    report_count("repeated", counts.repeated);
    report_count("strange", counts.strange);
    report_count("gaps", counts.gaps);
    report_count("failed", counts.failed);
    report_count("frames", counts.frames);
    report_count("bytes_in", counts.bytes_in);
    report_count("bytes_out", counts.bytes_out);
    report_number("p50_ms", histogram_ms(&counts.latency, 0.5), 3);
    report_number("p90_ms", histogram_ms(&counts.latency, 0.9), 3);
    report_number("p99_ms", histogram_ms(&counts.latency, 0.99), 3);
    report_number("max_ms", histogram_ms(&counts.latency, 1), 3);
    report_number("acknowledged_p50_ms", histogram_ms(&counts.acknowledgement, 0.5), 3);
    report_number("acknowledged_p99_ms", histogram_ms(&counts.acknowledgement, 0.99), 3);
    report_number("behind_ms", (double)counts.behind / 1e6, 3);
    report_number("load_share", share, 4);
    report_number("load_cpu_seconds", cpu_seconds, 4);
    report_number("load_waited_seconds", waited, 4);
    report_number("settle_seconds", (double)(end - sent_time) / 1e9, 3);
    report_number("measured_seconds", (double)(end - begin) / 1e9, 3);
    report_number("connect_seconds", connect_seconds, 3);
    report_number("core", options.core < 0 ? 0.0 / 0.0 : options.core, 0);
    report_usage(usage_before, usage_after);
    report_end();
    connections_close();
    return 0;
}
