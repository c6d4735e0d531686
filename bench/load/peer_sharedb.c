/* ShareDB: JSON messages. A sheet is the document NAME of the collection "sheets", of type json0, {"cells":{…}}; an edit is
 * a component at ["cells","row:column"] with the text that it replaces (od) and the new one (oi).
 *
 * What ShareDB's own client (sharedb/lib/client/doc.js) does, this does: it shakes hands, subscribes, has one operation in
 * flight and composes those made meanwhile into the next one, as json0's compose() does: only a component that follows one
 * of the same cell is merged into it. An operation says the version that it was made at; the server transforms it. No two
 * editors write the same cell, so the transformation that a client would do to its own operations changes none of them. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol.h"
#include "scan.h"

enum { NAME_CAPACITY = 100, ID_CAPACITY = 40, COMPONENT_BYTES = 64 };

/* What becomes of one cell: the sequence that it had, 0 for none, and the one that it gets. */
struct component {
    uint32_t row, column, old, new;
};

struct state {
    char name[NAME_CAPACITY];
    char id[ID_CAPACITY];
    uint32_t version, sequence; /* of the document; of this client's operations */
    uint32_t edits_in_flight, edits_pending;
    struct component *pending;
    uint32_t pending_count, pending_capacity;
    uint32_t *newest; /* of its column, by row: the sequence that it wrote last */
};

static void *must(void *memory) {
    if (memory) return memory;
    fprintf(stderr, "out of memory\n");
    exit(2);
}

/* The name of the document is the last part of the path. */
static bool prepare(struct client *client, char path[PATH_CAPACITY]) {
    struct state *state = client->state;
    size_t end = strlen(path);
    while (end && path[end - 1] == '/') end--;
    size_t start = end;
    while (start && path[start - 1] != '/') start--;
    if (end == start || end - start >= NAME_CAPACITY) return false;
    memcpy(state->name, path + start, end - start);
    return true;
}

static void open_connection(struct client *client) {
    static const char handshake[] = "{\"a\":\"hs\",\"id\":null,\"protocol\":1,\"protocolMinor\":2}";
    client_send(client, OPCODE_TEXT, handshake, sizeof handshake - 1);
}

static void subscribe(struct client *client) {
    const struct state *state = client->state;
    char text[NAME_CAPACITY + 40];
    int length = snprintf(text, sizeof text, "{\"a\":\"s\",\"c\":\"sheets\",\"d\":\"%s\"}", state->name);
    client_send(client, OPCODE_TEXT, text, (size_t)length);
}

/* -- writing ---------------------------------------------------------------------------------------------------- */

static char *write_component(char *at, struct component component) {
    at = write_text(at, "{\"p\":[\"cells\",\"");
    at = write_number(at, component.row);
    *at++ = ':';
    at = write_number(at, component.column);
    at = write_text(at, "\"],");
    if (component.old) {
        at = write_text(at, "\"od\":\"");
        at = write_number(at, component.old);
        at = write_text(at, "\",");
    }
    at = write_text(at, "\"oi\":\"");
    at = write_number(at, component.new);
    return write_text(at, "\"}");
}

static char *write_operation(char *at, struct state *state, const struct component *components, uint32_t count) {
    at = write_text(at, "{\"a\":\"op\",\"c\":\"sheets\",\"d\":\"");
    at = write_text(at, state->name);
    at = write_text(at, "\",\"v\":");
    at = write_number(at, state->version);
    at = write_text(at, ",\"seq\":");
    at = write_number(at, ++state->sequence);
    at = write_text(at, ",\"x\":{},\"op\":[");
    for (uint32_t number = 0; number < count; number++) {
        if (number) *at++ = ',';
        at = write_component(at, components[number]);
    }
    return write_text(at, "]}");
}

static void add_pending(struct state *state, struct component component) {
    state->edits_pending++;
    struct component *last = state->pending_count ? &state->pending[state->pending_count - 1] : NULL;
    if (last && last->row == component.row && last->column == component.column) {
        last->new = component.new;
        return;
    }
    if (state->pending_count == state->pending_capacity) {
        state->pending_capacity = state->pending_capacity ? state->pending_capacity * 2 : 16;
        state->pending = must(realloc(state->pending, state->pending_capacity * sizeof *state->pending));
    }
    state->pending[state->pending_count++] = component;
}

static size_t make_edit(struct client *client, const struct edit *edit, uint8_t buffer[EDIT_CAPACITY]) {
    struct state *state = client->state;
    if (!state->newest) state->newest = must(calloc(SHEET_ROWS, sizeof *state->newest));
    struct component component = {edit->row, edit->column, state->newest[edit->row], edit->sequence};
    state->newest[edit->row] = edit->sequence;
    if (state->edits_in_flight) {
        add_pending(state, component);
        return 0;
    }
    state->edits_in_flight = 1;
    return (size_t)(write_operation((char *)buffer, state, &component, 1) - (char *)buffer);
}

static void send_pending(struct client *client) {
    struct state *state = client->state;
    state->edits_in_flight = state->edits_pending;
    if (!state->edits_pending) return;
    char *text = must(malloc(200 + NAME_CAPACITY + (size_t)state->pending_count * COMPONENT_BYTES * 2));
    char *end = write_operation(text, state, state->pending, state->pending_count);
    client_send(client, OPCODE_TEXT, text, (size_t)(end - text));
    free(text);
    state->edits_pending = state->pending_count = 0;
}

/* -- reading ---------------------------------------------------------------------------------------------------- */

struct message {
    struct span action, source, error;
    uint32_t version, sequence;
    struct scan operation; /* what "op" holds; `at` is NULL without one */
    uint32_t cells;        /* of a snapshot */
};

static bool read_component(struct client *client, struct scan *scan) {
    struct span name, text = {0};
    uint32_t row = 0, column = 0;
    bool is_first = true, has_path = false;
    while (scan_member(scan, &is_first, &name)) {
        if (span_is(name, "p")) {
            struct span part;
            has_path = scan_byte(scan, '[') && scan_string(scan, &part) && span_is(part, "cells") && scan_byte(scan, ',') &&
                       scan_byte(scan, '"') && scan_number(scan, &row) && scan_byte(scan, ':') && scan_number(scan, &column) &&
                       scan_byte(scan, '"') && scan_byte(scan, ']');
            if (!has_path) return false;
        } else if (span_is(name, "oi")) {
            if (!scan_string(scan, &text)) return false;
        } else if (!scan_any(scan)) {
            return false;
        }
    }
    if (!has_path || !scan_byte(scan, '}')) return false;
    if (text.length) client_delivered(client, row, column, span_number(text));
    return true;
}

static bool read_operation(struct client *client, struct scan scan) {
    if (!scan_byte(&scan, '[')) return false;
    if (scan_byte(&scan, ']')) return true;
    do {
        if (!read_component(client, &scan)) return false;
    } while (scan_byte(&scan, ','));
    return scan_byte(&scan, ']');
}

/* {"v":1,"data":{"cells":{…}}} */
static bool read_snapshot(struct scan *scan, struct message *message) {
    struct span name;
    bool is_first = true;
    while (scan_member(scan, &is_first, &name)) {
        if (span_is(name, "v")) {
            if (!scan_number(scan, &message->version)) return false;
        } else if (span_is(name, "data")) {
            bool is_first_part = true, is_first_cell = true;
            if (!scan_member(scan, &is_first_part, &name) || !span_is(name, "cells")) return false;
            for (; scan_member(scan, &is_first_cell, &name); message->cells++)
                if (!scan_any(scan)) return false;
            if (!scan_byte(scan, '}') || !scan_byte(scan, '}')) return false;
        } else if (!scan_any(scan)) {
            return false;
        }
    }
    return scan_byte(scan, '}');
}

static bool scan_message(struct scan scan, struct message *message, struct state *state) {
    struct span name, id;
    bool is_first = true;
    while (scan_member(&scan, &is_first, &name)) {
        bool is_read;
        if (span_is(name, "a")) {
            is_read = scan_string(&scan, &message->action);
        } else if (span_is(name, "src")) {
            is_read = scan_string(&scan, &message->source);
        } else if (span_is(name, "v")) {
            is_read = scan_number(&scan, &message->version);
        } else if (span_is(name, "seq")) {
            is_read = scan_number(&scan, &message->sequence);
        } else if (span_is(name, "op")) {
            message->operation = scan;
            is_read = scan_any(&scan);
        } else if (span_is(name, "data")) {
            is_read = read_snapshot(&scan, message);
        } else if (span_is(name, "id")) {
            is_read = scan_string(&scan, &id) && id.length < ID_CAPACITY;
            if (is_read) memcpy(state->id, id.start, id.length);
        } else if (span_is(name, "error")) {
            message->error.start = scan.at;
            is_read = scan_any(&scan);
            message->error.length = (size_t)(scan.at - message->error.start);
        } else {
            is_read = scan_any(&scan);
        }
        if (!is_read) return false;
    }
    return true;
}

static bool take_operation(struct client *client, const struct message *message) {
    struct state *state = client->state;
    if (state->edits_in_flight && message->sequence == state->sequence && span_is(message->source, state->id)) {
        if (message->version != state->version) return false;
        state->version++;
        client_acknowledged(client, state->edits_in_flight);
        send_pending(client);
        return true;
    }
    /* To an author whose operation it transformed the server sends again what it was transformed by. */
    if (message->version < state->version) return true;
    /* The real client would fetch what is missing; that it is needed has not been seen. */
    if (message->version > state->version) return false;
    state->version++;
    return !message->operation.at || read_operation(client, message->operation);
}

static bool read_message(struct client *client, struct scan scan) {
    struct state *state = client->state;
    struct message message = {0};
    if (!scan_message(scan, &message, state)) return false;
    if (message.error.start) {
        if (!span_is(message.action, "op")) return false;
        client_refused(client, state->edits_in_flight);
        send_pending(client);
        return true;
    }
    if (span_is(message.action, "op")) return take_operation(client, &message);
    if (span_is(message.action, "init")) return true;
    if (span_is(message.action, "hs")) {
        subscribe(client);
        return true;
    }
    if (!span_is(message.action, "s")) return false;
    state->version = message.version;
    if (message.cells && client->is_editor) client_failed(client, "an editor needs an empty sheet");
    client_opened(client);
    client_loaded(client, message.cells);
    client_ready(client);
    return true;
}

static void on_message(struct client *client, const uint8_t *bytes, size_t length, enum opcode opcode) {
    if (opcode == OPCODE_TEXT && read_message(client, (struct scan){bytes, bytes + length})) return;
    char reason[300];
    snprintf(reason, sizeof reason, "cannot read %.*s", (int)(length < 260 ? length : 260), (const char *)bytes);
    client_failed(client, reason);
}

const struct protocol sharedb_protocol = {
    .name = "sharedb",
    .edit_opcode = OPCODE_TEXT,
    .has_acknowledgements = true,
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_connection,
    .make_edit = make_edit,
    .on_message = on_message,
};
