/* The load of this process: what was asked for, its clients, and what was counted. */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "protocol.h"

enum { MAX_CLOSE_CODES = 16, MAX_WATCHED = 16 };

struct options {
    const char *mode, *host, *path, *revision;
    const struct protocol *protocol;
    uint16_t port;
    uint32_t sockets, editors, sheets, rows, window, count;
    int core;
    double rate, seconds, settle_seconds, connect_rate, open_timeout_seconds;
    int watched[MAX_WATCHED];
    uint32_t watched_count;
};

struct counts {
    uint64_t sent, unsent, acknowledged, refused, delivered, repeated, strange, failed, gaps;
    uint64_t closed, frames, bytes_in, bytes_out;
    int close_codes[MAX_CLOSE_CODES];
    uint64_t close_counts[MAX_CLOSE_CODES];
    int64_t behind;
    struct histogram latency;         /* from an edit's due time to its showing on another socket */
    struct histogram acknowledgement; /* from an edit's due time to its author's being told */
};

/* What of the server's processes the kernel counts. */
struct usage {
    double cpu_seconds;
    uint64_t resident_bytes;
};

extern struct options options;
extern struct counts counts;
extern bool is_finishing; /* from here on, closes are our own */

/* -- options.c -- */
void read_options(int count, char **words); /* ends the process with a sentence if they make no sense */

/* -- tally.c: who was shown what -- */
void tally_prepare(void);
void tally_begin(int64_t begin, double edits_per_second); /* 0: closed loop, nothing is due */
int64_t due_time(uint64_t edit);                          /* of the edit with this number among all: 0, 1, 2 … */
uint32_t editor_client(uint32_t editor);                  /* the number of the client that is this editor */
bool send_edit(uint32_t editor);                          /* the editor's next one; false when it is closed */
uint32_t edits_in_flight(uint32_t editor);
uint64_t expected_deliveries(void);

/* -- connections.c: sockets and the one loop -- */
int64_t clock_of_event(void);            /* when what is being read now was received */
bool connections_open(void);             /* all of them; false, and a sentence on stderr, when not all got ready */
uint32_t connections_ready(void);
void connections_quieten(double seconds); /* wait until nothing came for 0.2 s, at most so long */
void connections_close(void);
void loop_turn(int64_t until);           /* do what there is to do, wait for it no longer than this */
bool connection_is_open(uint32_t number);
void connection_start(uint32_t number);
void connection_end(uint32_t number);
void connections_allocate(void);
struct client *client_at(uint32_t number);

struct opening {
    int64_t began, connected, asked, opened, first, last, ready;
    uint64_t bytes, frames, cells;
};
const struct opening *opening_of(uint32_t number);

/* -- watch.c -- */
struct usage watched_usage(void);
double waited_seconds(void); /* how long this process could have run and others had its core; NaN if not known */

/* -- report.c: one JSON object on stdout -- */
void report_begin(void);
void report_text(const char *name, const char *text);
void report_number(const char *name, double number, int digits); /* null for NaN */
void report_list(const char *name, const double *numbers, uint32_t count, int digits);
void report_count(const char *name, uint64_t count);
void report_bool(const char *name, bool is_true);
void report_closes(void);
void report_usage(struct usage before, struct usage after);
void report_end(void);

/* -- the modes: each returns the process's exit status -- */
int run_mode(void);
int idle_mode(void);
int open_mode(void);
int intake_mode(void);

#endif
