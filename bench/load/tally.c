/* Who was shown what: from (socket, cell, sequence) to counted deliveries and their latencies.
 *
 * Editor e of a sheet has column e mod 26 and the band e / 26 of rows for itself: band b of B begins at row
 * b * (1000 / B), and its edit k = 1, 2, 3 … goes to the band's row k mod K. K is --rows, but at most 1000 / B. So no
 * two editors share a cell, whatever their number, and a cell's sequences are k, k + K, k + 2 K … That is the same for
 * all protocols. A cell that shows `sequence` shows all before it too: the writes between were merged, not lost. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "clock.h"
#include "load.h"

static uint32_t per_sheet, editors_per_sheet, band_rows;
static uint16_t band_of_row[SHEET_ROWS], row_in_band[SHEET_ROWS];
static uint32_t *sent_by_editor, *acknowledged_by_editor;
/* Of each cell and socket the last sequence shown, [editor][row][place]: a server hands the same message to one socket
 * after the other, and so they find each other's entries in the cache. */
static uint32_t *shown;
static int64_t begin_time;
static double nanoseconds_per_edit;
static int64_t *sent_at; /* closed loop: of each editor's edits in flight, [editor][sequence mod window] */

void tally_prepare(void) {
    per_sheet = options.sockets / options.sheets;
    editors_per_sheet = options.editors / options.sheets;
    uint32_t bands = (editors_per_sheet + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    if (!bands) bands = 1;
    band_rows = SHEET_ROWS / bands;
    if (!options.rows || options.rows > band_rows) options.rows = band_rows;
    for (uint32_t row = 0; row < SHEET_ROWS; row++) {
        band_of_row[row] = (uint16_t)(row / band_rows);
        row_in_band[row] = (uint16_t)(row % band_rows);
    }
    if (!options.editors) return;
    sent_by_editor = calloc(options.editors, sizeof *sent_by_editor);
    acknowledged_by_editor = calloc(options.editors, sizeof *acknowledged_by_editor);
    size_t bytes = (size_t)options.editors * options.rows * per_sheet * sizeof *shown;
    shown = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (options.window) sent_at = calloc((size_t)options.editors * options.window, sizeof *sent_at);
    if (!sent_by_editor || !acknowledged_by_editor || (options.window && !sent_at) || shown == MAP_FAILED) {
        fprintf(stderr, "no memory for %zu bytes of last sequences\n", bytes);
        exit(2);
    }
}

void tally_begin(int64_t begin, double edits_per_second) {
    begin_time = begin;
    nanoseconds_per_edit = edits_per_second > 0 ? 1e9 / edits_per_second : 0;
}

int64_t due_time(uint64_t edit) { return begin_time + (int64_t)((double)edit * nanoseconds_per_edit); }

/* Editors are numbered across the sheets: 0 is the first of the first sheet, 1 the first of the second … */
static uint32_t editor_at(uint32_t sheet, uint32_t place) { return place * options.sheets + sheet; }

uint32_t editor_client(uint32_t editor) { return editor % options.sheets * per_sheet + editor / options.sheets; }

/* Its place among all edits, were all editors even: what it is due by. */
static int64_t due_of(uint32_t editor, uint32_t sequence) {
    return due_time((uint64_t)(sequence - 1) * options.editors + editor);
}

bool send_edit(uint32_t editor) {
    struct client *client = client_at(editor_client(editor));
    if (!connection_is_open(client->number)) {
        counts.unsent++;
        return false;
    }
    uint32_t sequence = ++sent_by_editor[editor];
    if (sent_at) sent_at[(size_t)editor * options.window + sequence % options.window] = clock_now();
    struct edit edit = {
        .row = client->place / SHEET_COLUMNS * band_rows + sequence % options.rows,
        .column = client->place % SHEET_COLUMNS,
        .sequence = sequence,
    };
    uint8_t buffer[EDIT_CAPACITY];
    size_t length = options.protocol->make_edit(client, &edit, buffer);
    if (length) client_send(client, options.protocol->edit_opcode, buffer, length);
    counts.sent++;
    return true;
}

uint32_t edits_in_flight(uint32_t editor) { return sent_by_editor[editor] - acknowledged_by_editor[editor]; }

uint64_t expected_deliveries(void) { return counts.sent * (per_sheet - 1); }

void client_delivered(struct client *client, uint32_t row, uint32_t column, uint32_t sequence) {
    if (row >= SHEET_ROWS || column >= SHEET_COLUMNS || !client->is_ready) return;
    uint32_t place = (uint32_t)band_of_row[row] * SHEET_COLUMNS + column, in_band = row_in_band[row];
    if (place >= editors_per_sheet || in_band >= options.rows) return; /* nobody writes there: it was there before */
    if (place == client->place) return;                               /* its own */
    uint32_t editor = editor_at(client->sheet, place);
    uint32_t *last = &shown[((size_t)editor * options.rows + in_band) * per_sheet + client->place];
    uint32_t next = *last ? *last + options.rows : in_band ? in_band : options.rows;
    if (sequence < next) {
        counts.repeated++;
        return;
    }
    if (sequence > sent_by_editor[editor] || (sequence - next) % options.rows) {
        counts.strange++; /* nobody wrote that there */
        return;
    }
    *last = sequence;
    int64_t now = clock_of_event();
    for (; next <= sequence; next += options.rows) {
        counts.delivered++;
        if (nanoseconds_per_edit > 0) histogram_add(&counts.latency, now - due_of(editor, next));
    }
}

void client_acknowledged(struct client *client, uint32_t count) {
    if (!client->is_editor) {
        counts.strange += count;
        return;
    }
    uint32_t editor = editor_at(client->sheet, client->place);
    int64_t now = clock_of_event();
    counts.acknowledged += count;
    for (; count; count--) {
        uint32_t sequence = ++acknowledged_by_editor[editor];
        int64_t since = sent_at ? sent_at[(size_t)editor * options.window + sequence % options.window] : due_of(editor, sequence);
        histogram_add(&counts.acknowledgement, now - since);
    }
}

void client_refused(struct client *client, uint32_t count) {
    if (client->is_editor) acknowledged_by_editor[editor_at(client->sheet, client->place)] += count;
    counts.refused += count;
}
