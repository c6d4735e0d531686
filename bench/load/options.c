/* The command line. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct options options = {
    .host = "127.0.0.1", .path = "/", .revision = "null", .sockets = 1, .sheets = 1, .rows = SHEET_ROWS, .count = 1,
    .core = 1, .seconds = 5, .settle_seconds = 2, .open_timeout_seconds = 60,
};

static const char usage_text[] =
    "load run    --protocol NAME --port P --path PATH --sockets N --editors E --rate R --seconds S\n"
    "load idle   --protocol NAME --port P --path PATH --sockets N --seconds S\n"
    "load open   --protocol NAME --port P --path PATH [--revision N|null] [--count C]\n"
    "load intake --protocol NAME --port P --path PATH --sockets E --seconds S --window W\n"
    "all: [--host 127.0.0.1] [--core 1] [--connect-rate C] [--open-timeout 60] [--sheets M, and {sheet} in PATH]\n"
    "     [--watch PID,PID…]   run: [--settle 2] [--rows K]\n";

static void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n%sprotocols:", usage_text);
    for (const struct protocol *const *protocol = protocols; *protocol; protocol++) fprintf(stderr, " %s", (*protocol)->name);
    fprintf(stderr, "\n");
    exit(2);
}

static double read_number(const char *name, const char *text, double lowest, double highest) {
    char *end;
    double number = strtod(text, &end);
    if (*end || end == text || !(number >= lowest && number <= highest))
        refuse("%s must be a number from %g to %g, not %s", name, lowest, highest, text);
    return number;
}

static uint32_t read_count(const char *name, const char *text, double lowest) {
    double number = read_number(name, text, lowest, 1e9);
    if (number != (uint32_t)number) refuse("%s must be a whole number, not %s", name, text);
    return (uint32_t)number;
}

static const struct protocol *find_protocol(const char *name) {
    for (const struct protocol *const *protocol = protocols; *protocol; protocol++)
        if (!strcmp((*protocol)->name, name)) return *protocol;
    refuse("no protocol %s", name);
    return NULL;
}

static void read_watched(const char *text) {
    while (*text) {
        char *end;
        long pid = strtol(text, &end, 10);
        if (end == text || pid <= 0 || options.watched_count == MAX_WATCHED)
            refuse("--watch wants up to %d process ids, as in 12,34", MAX_WATCHED);
        options.watched[options.watched_count++] = (int)pid;
        text = *end == ',' ? end + 1 : end;
    }
}

static void read_option(const char *name, const char *value) {
    if (!strcmp(name, "--protocol")) options.protocol = find_protocol(value);
    else if (!strcmp(name, "--host")) options.host = value;
    else if (!strcmp(name, "--port")) options.port = (uint16_t)read_number(name, value, 1, 65535);
    else if (!strcmp(name, "--path")) options.path = value;
    else if (!strcmp(name, "--sockets")) options.sockets = read_count(name, value, 1);
    else if (!strcmp(name, "--editors")) options.editors = read_count(name, value, 0);
    else if (!strcmp(name, "--sheets")) options.sheets = read_count(name, value, 1);
    else if (!strcmp(name, "--rate")) options.rate = read_number(name, value, 1e-3, 1e8);
    else if (!strcmp(name, "--seconds")) options.seconds = read_number(name, value, 0, 86400);
    else if (!strcmp(name, "--settle")) options.settle_seconds = read_number(name, value, 0, 3600);
    else if (!strcmp(name, "--rows")) options.rows = read_count(name, value, 1);
    else if (!strcmp(name, "--core")) options.core = (int)read_number(name, value, -1, 1023);
    else if (!strcmp(name, "--connect-rate")) options.connect_rate = read_number(name, value, 1e-3, 1e6);
    else if (!strcmp(name, "--open-timeout")) options.open_timeout_seconds = read_number(name, value, 0.1, 3600);
    else if (!strcmp(name, "--window")) options.window = read_count(name, value, 1);
    else if (!strcmp(name, "--count")) options.count = read_count(name, value, 1);
    else if (!strcmp(name, "--revision")) {
        if (strcmp(value, "null")) read_count(name, value, 0);
        options.revision = value;
    } else if (!strcmp(name, "--watch")) read_watched(value);
    else refuse("no option %s", name);
}

void read_options(int count, char **words) {
    if (count < 2) refuse("no mode");
    options.mode = words[1];
    for (int at = 2; at < count; at += 2) {
        if (at + 1 == count) refuse("%s wants a value", words[at]);
        read_option(words[at], words[at + 1]);
    }
    struct in_addr address;
    if (!strcmp(options.host, "localhost")) options.host = "127.0.0.1";
    if (inet_pton(AF_INET, options.host, &address) != 1) refuse("--host must be an IPv4 address, not %s", options.host);
    if (!options.protocol) refuse("no --protocol");
    if (!options.port) refuse("no --port");
    if (!strcmp(options.mode, "run")) {
        if (!options.editors) options.editors = options.sockets / 10 ? options.sockets / 10 : 1;
        if (options.rate <= 0) refuse("no --rate");
    } else if (!strcmp(options.mode, "intake")) {
        options.editors = options.sockets;
        if (!options.window) refuse("no --window");
        if (!options.protocol->has_acknowledgements) refuse("%s acknowledges nothing: it has no intake to measure", options.protocol->name);
    } else if (!strcmp(options.mode, "open")) {
        options.sockets = 1;
        options.editors = 0;
    } else if (!strcmp(options.mode, "idle")) {
        options.editors = 0;
    } else {
        refuse("no mode %s", options.mode);
    }
    if (options.editors > options.sockets) refuse("more editors than sockets");
    if (options.sockets % options.sheets || options.editors % options.sheets)
        refuse("--sockets and --editors must be multiples of --sheets");
    if (options.editors / options.sheets > SHEET_ROWS * SHEET_COLUMNS) refuse("more editors than a sheet has cells");
}
