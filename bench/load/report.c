/* The result: one JSON object on stdout. */
#include <math.h>
#include <stdio.h>

#include "load.h"

static bool is_first = true;

static void write_name(const char *name) {
    printf("%s\"%s\": ", is_first ? "" : ", ", name);
    is_first = false;
}

void report_begin(void) { printf("{"); }

void report_text(const char *name, const char *text) {
    write_name(name);
    printf("\"%s\"", text);
}

void report_number(const char *name, double number, int digits) {
    write_name(name);
    if (isfinite(number))
        printf("%.*f", digits, number);
    else
        printf("null");
}

void report_list(const char *name, const double *numbers, uint32_t count, int digits) {
    write_name(name);
    printf("[");
    for (uint32_t at = 0; at < count; at++) {
        printf(at ? ", " : "");
        if (isfinite(numbers[at]))
            printf("%.*f", digits, numbers[at]);
        else
            printf("null");
    }
    printf("]");
}

void report_count(const char *name, uint64_t count) {
    write_name(name);
    printf("%llu", (unsigned long long)count);
}

void report_bool(const char *name, bool is_true) {
    write_name(name);
    printf(is_true ? "true" : "false");
}

void report_closes(void) {
    report_count("closed", counts.closed);
    write_name("closes");
    printf("{");
    for (int at = 0; at < MAX_CLOSE_CODES && counts.close_counts[at]; at++)
        printf("%s\"%d\": %llu", at ? ", " : "", counts.close_codes[at], (unsigned long long)counts.close_counts[at]);
    printf("}");
}

void report_usage(struct usage before, struct usage after) {
    if (!options.watched_count) return;
    report_number("watched_cpu_seconds", after.cpu_seconds - before.cpu_seconds, 3);
    report_count("watched_resident_bytes", after.resident_bytes);
}

void report_end(void) {
    printf("}\n");
    fflush(stdout);
}
