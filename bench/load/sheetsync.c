/* SheetSync's own wire, protocol 1 (docs/protocol.md), as a client that stays equal to the sheet would read it.
 * `sheetsync-packed` also takes a first load that is stored packed, as browsers do: gzip in binary messages. */
#include <stdio.h>

#include "inflate.h"
#include "load.h"
#include "scan.h"

struct sheetsync_state {
    char client_id[37];
    uint32_t revision; /* what this client is at */
    uint32_t head;     /* of sheet.opened */
    bool is_opened, is_told_presence, is_reopening;
    bool takes_packed;
    uint64_t packed_left; /* bytes of the packed first load that are still to come */
    struct inflate unpacked;
    size_t unpacked_read; /* how much of it, in whole lines, has been read */
};

static void send_open(struct client *client, const char *revision) {
    struct sheetsync_state *state = client->state;
    char text[160];
    int length = snprintf(text, sizeof text, "{\"type\":\"sheet.open\",\"protocol\":1,\"client_id\":\"%s\",\"revision\":%s%s}",
                          state->client_id, revision, state->takes_packed ? ",\"packed\":\"gzip\"" : "");
    client_send(client, OPCODE_TEXT, text, (size_t)length);
}

static void open_sheet(struct client *client) {
    struct sheetsync_state *state = client->state;
    write_uuid(state->client_id);
    if (span_is((struct span){(const uint8_t *)options.revision, strlen(options.revision)}, "null")) {
        send_open(client, "null");
        return;
    }
    sscanf(options.revision, "%u", &state->revision);
    send_open(client, options.revision);
}

static void open_packed(struct client *client) {
    ((struct sheetsync_state *)client->state)->takes_packed = true;
    open_sheet(client);
}

/* Where frames are missing, a client asks for what came since its revision. */
static void reopen(struct client *client) {
    struct sheetsync_state *state = client->state;
    char revision[12];
    if (state->is_reopening) return;
    state->is_reopening = true;
    counts.gaps++;
    snprintf(revision, sizeof revision, "%u", state->revision);
    send_open(client, revision);
}

static size_t make_edit(struct client *client, const struct edit *edit, uint8_t buffer[EDIT_CAPACITY]) {
    (void)client;
    char *at = (char *)buffer;
    at = write_text(at, "{\"type\":\"operation.submit\",\"operation_id\":\"");
    write_uuid(at);
    at = write_text(at + 36, "\",\"operation\":{\"kind\":\"set_cells\",\"cells\":[[");
    at = write_number(at, edit->row);
    *at++ = ',';
    at = write_number(at, edit->column);
    at = write_text(at, ",\"");
    at = write_number(at, edit->sequence);
    at = write_text(at, "\"]]}}");
    return (size_t)(at - (char *)buffer);
}

/* [row_id,column_id,"input", style, value]: what comes after the input is skipped. */
static bool read_cell(struct client *client, struct scan *scan) {
    uint32_t row, column;
    struct span input;
    if (!scan_byte(scan, '[') || !scan_number(scan, &row) || !scan_byte(scan, ',') || !scan_number(scan, &column) ||
        !scan_byte(scan, ',') || !scan_string(scan, &input))
        return false;
    while (!scan_byte(scan, ']'))
        if (!scan_byte(scan, ',') || !scan_any(scan)) return false;
    client_delivered(client, row, column, span_number(input));
    return true;
}

/* [[author|null,[cell,…]],…] */
static bool read_changes(struct client *client, struct scan *scan, uint32_t *cells) {
    *cells = 0;
    if (!scan_byte(scan, '[')) return false;
    if (scan_byte(scan, ']')) return true;
    do {
        if (!scan_byte(scan, '[') || !scan_any(scan) || !scan_byte(scan, ',') || !scan_byte(scan, '[')) return false;
        if (scan_byte(scan, ']')) {
            if (!scan_byte(scan, ']')) return false;
            continue;
        }
        do {
            if (!read_cell(client, scan)) return false;
            ++*cells;
        } while (scan_byte(scan, ','));
        if (!scan_byte(scan, ']') || !scan_byte(scan, ']')) return false;
    } while (scan_byte(scan, ','));
    return scan_byte(scan, ']');
}

/* What after and through say of the changes: to be applied, known already, or behind a gap. */
static bool is_wanted(struct client *client, uint32_t after, uint32_t through) {
    struct sheetsync_state *state = client->state;
    if (after > state->revision) {
        reopen(client);
        return false;
    }
    return through > state->revision;
}

static bool read_cells_changed(struct client *client, struct scan scan) {
    struct sheetsync_state *state = client->state;
    struct scan changes = {0};
    struct span name;
    uint32_t after = UINT32_MAX, through = UINT32_MAX, cells = 0;
    bool is_first = true, has_more = false;
    while (scan_member(&scan, &is_first, &name)) {
        if (span_is(name, "after")) {
            if (!scan_number(&scan, &after)) return false;
        } else if (span_is(name, "through")) {
            if (!scan_number(&scan, &through)) return false;
        } else if (span_is(name, "changes") && after != UINT32_MAX && through != UINT32_MAX) {
            if (!is_wanted(client, after, through)) return true;
            if (!read_changes(client, &scan, &cells)) return false;
        } else {
            if (span_is(name, "changes")) changes = scan; /* its bounds are still to come */
            if (span_is(name, "more")) has_more = *scan.at == 't';
            if (!scan_any(&scan)) return false;
        }
    }
    if (after == UINT32_MAX || through == UINT32_MAX) return false;
    if (changes.at) {
        if (!is_wanted(client, after, through)) return true;
        if (!read_changes(client, &changes, &cells)) return false;
    }
    client_loaded(client, cells);
    if (!has_more && through > state->revision) state->revision = through;
    return true;
}

static bool read_opened(struct client *client, struct scan scan) {
    struct sheetsync_state *state = client->state;
    struct span name;
    bool is_first = true, has_head = false;
    while (scan_member(&scan, &is_first, &name)) {
        if (span_is(name, "head")) {
            has_head = scan_number(&scan, &state->head);
            if (!has_head) return false;
        } else if (!scan_any(&scan)) {
            return false;
        }
    }
    if (state->revision > state->head) state->revision = 0; /* another life of the database: all comes anew */
    state->is_opened = true;
    state->is_reopening = false;
    client_opened(client);
    return has_head;
}

static bool read_presence(struct client *client, struct scan scan) {
    struct sheetsync_state *state = client->state;
    struct span name;
    bool is_first = true;
    if (client->is_ready) return true;
    while (scan_member(&scan, &is_first, &name)) {
        if (span_is(name, "full") && *scan.at == 't') state->is_told_presence = true;
        if (!scan_any(&scan)) return false;
    }
    return true;
}

static bool read_committed(struct client *client, struct scan scan) {
    struct span name, operation_id;
    uint32_t revision, count = 0;
    bool is_first = true;
    while (scan_member(&scan, &is_first, &name)) {
        if (!span_is(name, "operations")) {
            if (!scan_any(&scan)) return false;
            continue;
        }
        if (!scan_byte(&scan, '[')) return false;
        do {
            if (!scan_byte(&scan, '[') || !scan_string(&scan, &operation_id) || !scan_byte(&scan, ',') ||
                !scan_number(&scan, &revision) || !scan_byte(&scan, ']'))
                return false;
            count++;
        } while (scan_byte(&scan, ','));
        if (!scan_byte(&scan, ']')) return false;
    }
    client_acknowledged(client, count);
    return true;
}

static bool read_packed_head(struct client *client, struct scan scan) {
    struct sheetsync_state *state = client->state;
    struct span name;
    uint32_t bytes = 0;
    bool is_first = true;
    while (scan_member(&scan, &is_first, &name))
        if (span_is(name, "bytes") ? !scan_number(&scan, &bytes) : !scan_any(&scan)) return false;
    inflate_discard(&state->unpacked);
    state->unpacked_read = 0;
    state->packed_left = bytes;
    return bytes > 0;
}

static bool read_message(struct client *client, struct scan scan);

/* Each line that came out is a cells.changed. */
static bool read_packed(struct client *client, const uint8_t *bytes, size_t length) {
    struct sheetsync_state *state = client->state;
    struct inflate *unpacked = &state->unpacked;
    const uint8_t *end;
    if (length > state->packed_left || !inflate_more(unpacked, bytes, length)) return false;
    state->packed_left -= length;
    while (unpacked->out_length > state->unpacked_read &&
           (end = memchr(unpacked->out + state->unpacked_read, '\n', unpacked->out_length - state->unpacked_read))) {
        if (!read_message(client, (struct scan){unpacked->out + state->unpacked_read, end})) return false;
        state->unpacked_read = (size_t)(end + 1 - unpacked->out);
    }
    if (state->packed_left) return true;
    bool is_whole = unpacked->is_done && state->unpacked_read == unpacked->out_length;
    inflate_discard(unpacked);
    return is_whole;
}

static bool read_message(struct client *client, struct scan scan) {
    struct sheetsync_state *state = client->state;
    struct scan members = scan;
    struct span name, type = {0};
    bool is_first = true;
    while (!type.length && scan_member(&members, &is_first, &name))
        if (span_is(name, "type") ? !scan_string(&members, &type) : !scan_any(&members)) return false;
    if (span_is(type, "cells.changed")) {
        if (!read_cells_changed(client, scan)) return false;
    } else if (span_is(type, "operations.committed")) {
        return read_committed(client, scan);
    } else if (span_is(type, "sheet.opened")) {
        if (!read_opened(client, scan)) return false;
    } else if (span_is(type, "cells.packed")) {
        return read_packed_head(client, scan);
    } else if (span_is(type, "presence.changed")) {
        if (!read_presence(client, scan)) return false;
    } else if (span_is(type, "operation.rejected")) {
        client_refused(client, 1);
        return true;
    } else if (span_is(type, "error")) {
        return false;
    }
    if (!client->is_ready && !state->packed_left && state->is_opened && state->is_told_presence && state->revision >= state->head) client_ready(client);
    return true;
}

static void on_message(struct client *client, const uint8_t *bytes, size_t length, enum opcode opcode) {
    if (opcode == OPCODE_TEXT ? read_message(client, (struct scan){bytes, bytes + length}) : read_packed(client, bytes, length)) return;
    char reason[200];
    snprintf(reason, sizeof reason, "cannot read %.*s", (int)(length < 160 ? length : 160), (const char *)bytes);
    client_failed(client, reason);
}

const struct protocol sheetsync_protocol = {
    .name = "sheetsync",
    .edit_opcode = OPCODE_TEXT,
    .has_acknowledgements = true,
    .state_size = sizeof(struct sheetsync_state),
    .open = open_sheet,
    .make_edit = make_edit,
    .on_message = on_message,
};

const struct protocol sheetsync_packed_protocol = {
    .name = "sheetsync-packed",
    .edit_opcode = OPCODE_TEXT,
    .has_acknowledgements = true,
    .state_size = sizeof(struct sheetsync_state),
    .open = open_packed,
    .make_edit = make_edit,
    .on_message = on_message,
};
